"""The judge: what a placement costs, what it keeps off the origin, and which limits it breaks.

Cost (DESIGN section 6): sum of bytes times the cost per byte of the serving path, origin included, plus the cost
of what is newly filled. Works for fractional placements as well, so an LP's value can be checked against it.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cdn.evaluation.flows import Flows, flows_of
from cdn.evaluation.violations import Violation, broken_routing, broken_rules, levels_at, over_limit
from cdn.model.arrays import frozen
from cdn.model.placement import Placement
from cdn.model.problem import Problem


@dataclass(frozen=True, eq=False)
class Evaluation:
    """S caches, H peak hours, L links. ``served_bytes`` (S + 1,) with the origin last; ``stored_bytes``,
    ``filled_bytes`` (S,); ``egress_bps`` (H, S + 1); ``link_bps`` (H, 2 L) of all traffic, and of what caches
    serve ``cache_link_bps``."""

    delivery_cost: float
    fill_cost: float
    offload: float
    request_hit_ratio: float
    served_bytes: np.ndarray
    stored_bytes: np.ndarray
    filled_bytes: np.ndarray
    egress_bps: np.ndarray
    link_bps: np.ndarray
    cache_link_bps: np.ndarray
    violations: tuple[Violation, ...]

    def __post_init__(self) -> None:
        for name in ("served_bytes", "stored_bytes", "filled_bytes", "egress_bps", "link_bps", "cache_link_bps"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    @property
    def cost(self) -> float:
        """Delivery cost plus fill cost: what the placers minimise."""
        return self.delivery_cost + self.fill_cost


def evaluate(problem: Problem, placement: Placement) -> Evaluation:
    """Judges one placement of one problem."""
    flows = flows_of(problem, placement)
    filled = newly_filled_bytes(problem, placement)
    stored_bytes = _bytes_per_site(problem, placement, placement.levels)
    link_from_caches, link_from_origin = _link_bps(problem, flows)
    egress = _factor(problem) @ flows.peak_bps.T
    used = flows.bytes != 0  # where a site may not serve its cost is infinite, and nothing times that is no number
    return Evaluation(
        delivery_cost=float((flows.bytes[used] * problem.cost_per_byte[used]).sum()),
        fill_cost=float(problem.fill_cost_per_byte @ filled),
        offload=_share_from_caches(flows.bytes),
        request_hit_ratio=_share_from_caches(flows.requests),
        served_bytes=flows.bytes.sum(axis=1),
        stored_bytes=stored_bytes,
        filled_bytes=filled,
        egress_bps=egress,
        link_bps=link_from_caches + link_from_origin,
        cache_link_bps=link_from_caches,
        violations=tuple(_violations(problem, placement, flows, stored_bytes, filled, egress, link_from_caches)),
    )


def newly_filled_bytes(problem: Problem, placement: Placement) -> np.ndarray:
    """(S,) bytes each cache takes in: what is placed there and not stored now."""
    there = levels_at(placement.stored, problem.stored, np.ones(len(problem.stored)))
    return _bytes_per_site(problem, placement, np.where(there > 0, 0.0, placement.levels))


def _bytes_per_site(problem: Problem, placement: Placement, levels: np.ndarray) -> np.ndarray:
    size_bytes = np.repeat(problem.size_bytes, np.diff(placement.stored.indptr))
    return np.bincount(placement.stored.site, weights=size_bytes * levels, minlength=problem.n_caches)


def _share_from_caches(flow: np.ndarray) -> float:
    """Of a flow (S + 1, R) with the origin last."""
    caches = float(flow[:-1].sum())
    total = caches + float(flow[-1].sum())
    return caches / total if total else 0.0


def _factor(problem: Problem) -> np.ndarray:
    """(H, R) rate in each hour that can bind over the peak rate."""
    return problem.demand.hour_factor[problem.demand.peak_hours()]


def _link_bps(problem: Problem, flows: Flows) -> tuple[np.ndarray, np.ndarray]:
    """(H, 2 L) of what caches serve and of what the origin serves."""
    n_regions, n_caches = len(problem.region_index), problem.n_caches
    cache_paths = sp.csr_array(problem.path_links[: n_caches * n_regions])
    origin_paths = sp.csr_array(problem.path_links[n_caches * n_regions :])
    caches, origin, factor = flows.peak_bps[:-1].ravel(), flows.peak_bps[-1], _factor(problem)
    from_caches = np.array([cache_paths.T @ (caches * np.tile(f, n_caches)) for f in factor])
    return from_caches, np.array([origin_paths.T @ (origin * f) for f in factor])


def _violations(problem: Problem, placement: Placement, flows: Flows, stored_bytes, filled, egress_bps, link_bps):
    names = problem.site_index.ids
    yield from over_limit("storage", names, stored_bytes, problem.storage_bytes)
    yield from over_limit("fill", names, filled, problem.usable_fill_bytes)
    yield from over_limit("egress", names, egress_bps[:, :-1].max(axis=0), problem.egress_bps)
    if link_bps.size:
        links = np.array([f"link {k}" for k in range(link_bps.shape[1])])
        yield from over_limit("link", links, link_bps.max(axis=0), problem.link_capacity_bps)
    yield from broken_rules(problem, placement)
    if placement.routing is not None and flows.served_share is not None:
        yield from broken_routing(problem, placement, placement.routing, flows.served_share)

"""The judge: what a placement costs, what it keeps off the origin, and which limits it breaks.

Cost (DESIGN section 6): sum of bytes times the cost per byte of the serving path, origin included, plus the cost
of what is newly filled. Works for fractional placements as well, so an LP's value can be checked against it.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cdn.evaluation.routing import cheapest_routing
from cdn.model.arrays import frozen
from cdn.model.placement import Placement, Routing
from cdn.model.problem import Problem

RELATIVE_TOLERANCE = 1e-7
SHARE_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Violation:
    """A limit that is broken: ``limit`` names the family, ``where`` the site, link or asset, in the limit's unit."""

    limit: str
    where: str
    value: float
    allowed: float

    def __str__(self) -> str:
        return f"{self.limit} at {self.where}: {self.value:.6g}, allowed {self.allowed:.6g}"


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
    demand, n_caches = problem.demand, problem.n_caches
    routing = cheapest_routing(problem, placement.stored) if placement.routing is None else placement.routing
    region = demand.region[routing.entry]
    served_bytes = demand.bytes[routing.entry] * routing.share
    from_origin = np.clip(1.0 - np.bincount(routing.entry, weights=routing.share, minlength=len(demand)), 0.0, None)
    origin_bytes = demand.bytes * from_origin
    delivery_cost = float(
        served_bytes @ problem.cost_per_byte[routing.site, region] + origin_bytes @ problem.origin_cost[demand.region]
    )
    filled = newly_filled_bytes(problem, placement)
    link_from_caches, link_from_origin = _link_bps(problem, routing, from_origin)
    requests = float(demand.requests.sum())
    egress = _egress_bps(problem, routing, from_origin)
    stored_bytes = np.bincount(
        placement.stored.site, minlength=n_caches, weights=problem.size_bytes[placement.stored.asset] * placement.levels
    )
    return Evaluation(
        delivery_cost=delivery_cost,
        fill_cost=float(problem.fill_cost_per_byte @ filled),
        offload=1.0 - float(origin_bytes.sum()) / demand.total_bytes if demand.total_bytes else 0.0,
        request_hit_ratio=1.0 - float(demand.requests @ from_origin) / requests if requests else 0.0,
        served_bytes=np.append(np.bincount(routing.site, weights=served_bytes, minlength=n_caches), origin_bytes.sum()),
        stored_bytes=stored_bytes,
        filled_bytes=filled,
        egress_bps=egress,
        link_bps=link_from_caches + link_from_origin,
        cache_link_bps=link_from_caches,
        violations=tuple(_violations(problem, placement, routing, stored_bytes, filled, egress, link_from_caches)),
    )


def newly_filled_bytes(problem: Problem, placement: Placement) -> np.ndarray:
    """(S,) bytes each cache takes in: max(level - stored now, 0) of each pair."""
    stored = placement.stored
    there = problem.stored.contains(stored.site, stored.asset, problem.n_caches)
    new_bytes = np.where(there, 0.0, placement.levels * problem.size_bytes[stored.asset])
    return np.bincount(stored.site, weights=new_bytes, minlength=problem.n_caches)


def _egress_bps(problem: Problem, routing: Routing, from_origin: np.ndarray) -> np.ndarray:
    demand = problem.demand
    factor = demand.hour_factor[demand.peak_hours()]
    sites, regions = problem.n_caches + 1, len(problem.region_index)
    flow = np.zeros((sites, regions))
    np.add.at(flow, (routing.site, demand.region[routing.entry]), demand.peak_bps[routing.entry] * routing.share)
    flow[-1] = np.bincount(demand.region, weights=demand.peak_bps * from_origin, minlength=regions)
    return factor @ flow.T


def _link_bps(problem: Problem, routing: Routing, from_origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, 2 L) of what caches serve and of what the origin serves."""
    demand = problem.demand
    factor = demand.hour_factor[demand.peak_hours()]
    n_regions, n_caches = len(problem.region_index), problem.n_caches
    pair = routing.site.astype(np.int64) * n_regions + demand.region[routing.entry]
    caches = np.bincount(pair, weights=demand.peak_bps[routing.entry] * routing.share, minlength=n_caches * n_regions)
    origin = np.bincount(demand.region, weights=demand.peak_bps * from_origin, minlength=n_regions)
    cache_paths = sp.csr_array(problem.path_links[: n_caches * n_regions])
    origin_paths = sp.csr_array(problem.path_links[n_caches * n_regions :])
    from_caches = np.array([cache_paths.T @ (caches * np.tile(f, n_caches)) for f in factor])
    return from_caches, np.array([origin_paths.T @ (origin * f) for f in factor])


def _violations(problem, placement, routing, stored_bytes, filled, egress_bps, link_bps):
    names = problem.site_index.ids
    yield from _over("storage", names, stored_bytes, problem.storage_bytes)
    yield from _over("fill", names, filled, problem.usable_fill_bytes)
    yield from _over("egress", names, egress_bps[:, :-1].max(axis=0), problem.egress_bps)
    if link_bps.size:
        links = [f"link {k}" for k in range(link_bps.shape[1])]
        yield from _over("link", links, link_bps.max(axis=0), problem.link_capacity_bps)
    yield from _broken_rules(problem, placement)
    yield from _broken_routing(problem, placement, routing)


def _over(limit, names, values, allowed):
    for k in np.flatnonzero(values > allowed * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE):
        yield Violation(limit, str(names[k]), float(values[k]), float(allowed[k]))


def _broken_rules(problem: Problem, placement: Placement):
    n, held = problem.n_caches, placement.stored
    if placement.level is None:
        missing = problem.pinned.minus(held, n)
    else:
        full = held.keys(n)[placement.levels >= 1 - SHARE_TOLERANCE]
        missing = problem.pinned.minus(type(held).from_pairs(full % n, full // n, held.n_assets), n)
    for site, asset in zip(missing.site, missing.asset, strict=True):
        yield Violation("pinned", f"{problem.site_index.id_of(site)}/{problem.asset_index.id_of(asset)}", 0, 1)
    for k in np.flatnonzero(problem.excluded.contains(held.site, held.asset, n)):
        pair = f"{problem.site_index.id_of(held.site[k])}/{problem.asset_index.id_of(held.asset[k])}"
        yield Violation("excluded", pair, float(placement.levels[k]), 0)


def _broken_routing(problem: Problem, placement: Placement, routing: Routing):
    demand, n = problem.demand, problem.n_caches
    asset, region = demand.asset[routing.entry], demand.region[routing.entry]

    def name(k: np.integer) -> str:
        return (
            f"{problem.site_index.id_of(routing.site[k])}/{problem.asset_index.id_of(asset[k])}"
            f"/{problem.region_index.id_of(region[k])}"
        )

    total = np.bincount(routing.entry, weights=routing.share, minlength=len(demand))
    for entry in np.flatnonzero(total > 1 + SHARE_TOLERANCE):
        who = f"{problem.asset_index.id_of(demand.asset[entry])}/{problem.region_index.id_of(demand.region[entry])}"
        yield Violation("serve_once", who, float(total[entry]), 1)
    keys = placement.stored.keys(n)
    wanted = asset.astype(np.int64) * n + routing.site
    position = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    level = np.where(keys[position] == wanted, placement.levels[position], 0.0) if len(keys) else np.zeros(len(wanted))
    for k in np.flatnonzero((routing.share > level + SHARE_TOLERANCE) | (routing.share < 0)):
        yield Violation("serve_stored", name(k), float(routing.share[k]), float(level[k]))
    forbidden = ~np.isfinite(problem.cost_per_byte[routing.site, region]) | ~problem.servable[routing.entry]
    for k in np.flatnonzero(forbidden):
        yield Violation("may_serve", name(k), float(routing.share[k]), 0)

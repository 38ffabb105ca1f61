"""The placement model of Applegate et al. (CoNEXT 2010) in PuLP, one small function per constraint family.

With what the origin serves eliminated (o = 1 - sum x) and z = y for what is not stored now (z = 0 else), the model is

    min   K - sum_(e,s) saving[e,s] x[e,s] + sum_(s,a) fill_cost[s] size[a] new[s,a] y[s,a]
    serve_once    sum_s x[e,s] <= 1                                  for each demand entry e = (r, a)
    serve_stored  x[e,s] <= y[s,a]
    storage       sum_a size[a] y[s,a] <= storage[s]
    fill          sum_a size[a] new[s,a] y[s,a] <= fill[s]
    egress        sum_e p[h,e] x[e,s] <= egress[s]                   for each peak hour h
    link          sum over paths through l of p[h,e] x[e,s] <= capacity[l]

K = delivery cost with everything from the origin. Pinned y are 1; pairs that can never be stored have no variable.
Costs, sizes and rates are scaled so that their mean is 1: solver tolerances are absolute.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp
import scipy.sparse as sp

from cdn.model.placement import Placement, Prices, Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.candidates import Candidates

SHARE_EPSILON = 1e-9
LIMIT_TOLERANCE = 1e-8


@dataclass(eq=False)
class PlacementModel:
    """A PuLP model with its variables and named constraint families. ``cost_unit``, ``size_unit`` and
    ``rate_unit`` turn the model's units into cost, bytes and bit/s."""

    problem: Problem
    candidates: Candidates
    lp: pulp.LpProblem
    y: list
    x: list
    cost_unit: float
    size_unit: float
    rate_unit: float
    families: dict[str, dict[Any, pulp.LpConstraint]] = field(default_factory=dict)

    def add_family(self, name: str, rows) -> None:
        """Adds rows (key, terms, limit): sum of terms <= limit."""
        family = self.families.setdefault(name, {})
        for key, terms, limit in rows:
            label = f"{name}_{len(family)}"
            row = pulp.LpConstraint(pulp.LpAffineExpression(terms), pulp.LpConstraintLE, rhs=limit)
            self.lp.addConstraint(row, label)
            family[key] = row

    @property
    def constant_cost(self) -> float:
        """Delivery cost with everything from the origin."""
        demand = self.problem.demand
        return float(demand.bytes @ self.problem.origin_cost[demand.region])


def build_model(problem: Problem, candidates: Candidates, binary: bool) -> PlacementModel:
    """The model without egress and link rows: there are many, few ever bind, and ``add_broken_limits`` adds those."""
    c = candidates
    cost_unit = float(c.saving.mean()) if len(c.saving) else 1.0
    size_unit = float(problem.size_bytes.mean()) if len(problem.size_bytes) else 1.0
    lp = pulp.LpProblem("placement", pulp.LpMinimize)
    category = "Integer" if binary else "Continuous"
    y = [lp.add_variable(f"y{k}", 1 if pinned else 0, 1, category) for k, pinned in enumerate(c.pinned.tolist())]
    x = [lp.add_variable(f"x{k}", 0, None) for k in range(len(c.entry))]
    fill_cost = problem.fill_cost_per_byte[c.site] * problem.size_bytes[c.asset] * c.new / cost_unit
    terms = list(zip(x, (-c.saving / cost_unit).tolist(), strict=True))
    terms += [(y[k], fill_cost[k]) for k in np.flatnonzero(fill_cost)]
    lp.setObjective(pulp.LpAffineExpression(terms))
    rate_unit = float(problem.demand.peak_bps.mean()) or 1.0 if len(problem.demand) else 1.0
    model = PlacementModel(problem, c, lp, y, x, cost_unit, size_unit, rate_unit)
    model.add_family("serve_once", _serve_once(model))
    model.add_family("serve_stored", _serve_stored(model))
    model.add_family("storage", _capacity(model, problem.storage_bytes, np.ones(len(c.site), dtype=bool)))
    model.add_family("fill", _capacity(model, problem.usable_fill_bytes, c.new))
    return model


def add_broken_limits(model: PlacementModel) -> int:
    """Adds the egress and link rows that the model's solution breaks; returns how many there were."""
    shares = solution_of(model.x)
    broken = {"egress": list(_egress(model, shares)), "link": list(_link(model, shares))}
    for name, rows in broken.items():
        model.add_family(name, rows)
    return sum(map(len, broken.values()))


def _serve_once(model: PlacementModel):
    """One row per entry that more than one cache may serve (x <= y <= 1 does it for the others)."""
    entry = model.candidates.entry
    starts = np.flatnonzero(np.diff(entry, prepend=-1))
    ends = np.append(starts[1:], len(entry))[: len(starts)]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start > 1:
            yield int(entry[start]), [(model.x[k], 1.0) for k in range(start, end)], 1.0


def _serve_stored(model: PlacementModel):
    for k, pair in enumerate(model.candidates.entry_pair.tolist()):
        yield k, [(model.x[k], 1.0), (model.y[pair], -1.0)], 0.0


def _capacity(model: PlacementModel, limit_bytes: np.ndarray, counted: np.ndarray):
    """storage and fill: bytes of the counted pairs of each site, where they could exceed the limit."""
    c = model.candidates
    size = model.problem.size_bytes[c.asset] / model.size_unit
    for s in range(model.problem.n_caches):
        pairs = np.flatnonzero((c.site == s) & counted)
        limit = limit_bytes[s] / model.size_unit
        if size[pairs].sum() > limit:
            yield (s,), [(model.y[k], size[k]) for k in pairs], limit


def _egress(model: PlacementModel, shares: np.ndarray):
    problem, c = model.problem, model.candidates
    for h, rate in enumerate(_entry_rates(model)):
        load = np.bincount(c.entry_site, weights=rate * shares, minlength=problem.n_caches)
        for s in np.flatnonzero(load > problem.egress_bps * (1 + LIMIT_TOLERANCE)):
            yield _rate_row(model, (h, int(s)), np.flatnonzero(c.entry_site == s), rate, problem.egress_bps[s])


def _link(model: PlacementModel, shares: np.ndarray):
    problem, c = model.problem, model.candidates
    region = problem.demand.region[c.entry]
    uses = sp.csc_array(problem.path_links[c.entry_site.astype(np.int64) * len(problem.region_index) + region])
    for h, rate in enumerate(_entry_rates(model)):
        load = uses.T @ (rate * shares)
        for link in np.flatnonzero(load > problem.link_capacity_bps * (1 + LIMIT_TOLERANCE)):
            columns = uses.indices[uses.indptr[link] : uses.indptr[link + 1]]
            yield _rate_row(model, (h, int(link)), columns, rate, problem.link_capacity_bps[link])


def _entry_rates(model: PlacementModel) -> np.ndarray:
    """(H, M) bit/s of each serving triple in each peak hour."""
    demand, entry = model.problem.demand, model.candidates.entry
    factor = demand.hour_factor[demand.peak_hours()]
    return demand.peak_bps[entry] * factor[:, demand.region[entry]]


def _rate_row(model: PlacementModel, key: tuple, columns: np.ndarray, rate: np.ndarray, limit_bps: float):
    terms = [(model.x[k], rate[k] / model.rate_unit) for k in columns[rate[columns] > 0]]
    return key, terms, limit_bps / model.rate_unit


def solution_of(variables: list) -> np.ndarray:
    """The variables' values. One that stands in no row or cost never reaches the solver and keeps its lower bound."""
    return np.array([v.lowBound if v.varValue is None else v.varValue for v in variables], dtype=float)


def read_placement(model: PlacementModel, with_routing: bool) -> Placement:
    """The solution as a placement; fractional where the solution is."""
    c, problem = model.candidates, model.problem
    y = solution_of(model.y)
    kept = np.flatnonzero(y > SHARE_EPSILON)
    stored = SiteAssets.from_pairs(c.site[kept], c.asset[kept], len(problem.asset_index))
    routing = None
    if with_routing:
        x = solution_of(model.x)
        used = np.flatnonzero(x > SHARE_EPSILON)
        routing = Routing(c.entry[used], c.entry_site[used], np.minimum(x[used], 1.0))
    # Candidate pairs are asset-major with ascending sites, the order of SiteAssets.
    fractional = bool((y[kept] < 1 - SHARE_EPSILON).any())
    return Placement(stored, routing, np.clip(y[kept], 0.0, 1.0) if fractional else None)


def read_prices(model: PlacementModel) -> Prices:
    """The duals as prices per byte, per bit/s and per entry. An entry without a serve_once row is credited all
    that the origin would cost."""
    problem = model.problem
    demand = problem.demand
    hours, links = len(demand.peak_hours()), len(problem.link_capacity_bps)
    shapes = {
        "storage": (problem.n_caches,),
        "fill": (problem.n_caches,),
        "egress": (hours, problem.n_caches),
        "link": (hours, links),
    }
    prices: dict[str, Any] = {}
    for family, shape in shapes.items():
        prices[family] = np.zeros(shape)
        unit = model.size_unit if len(shape) == 1 else model.rate_unit
        for key, row in model.families.get(family, {}).items():
            prices[family][key] = max(-(row.pi or 0.0), 0.0) * model.cost_unit / unit
    serve = demand.bytes * problem.origin_cost[demand.region]
    for entry, row in model.families["serve_once"].items():
        serve[entry] -= max(-(row.pi or 0.0), 0.0) * model.cost_unit
    return Prices(**prices, serve=serve)

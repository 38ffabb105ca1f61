"""decomposition: price the limits, solve each asset's block, prove the bound block by block, and fit a placement.

The Lagrangian relaxation of DESIGN's model (Applegate et al., CoNEXT 2010 and IPCO 2013): at prices of storage, fill,
egress and links the assets fall apart. Whole assets are placed in the blocks, so the bound is better than that of the
linear relaxation (Geoffrion 1974), and the certificate carries what makes each block's bound checkable.
"""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from cdn.model.placement import Placement, PlacerResult, Prices, Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.clock import Clock
from cdn.placement.decomposition.annealing import move_copies
from cdn.placement.decomposition.balancing import balance, reacting_prices
from cdn.placement.decomposition.efforts import Effort, rounds
from cdn.placement.decomposition.limits import find_rate_limits, full_prices
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.pricing import PriceLevels, Pricing
from cdn.placement.decomposition.proving import prove
from cdn.placement.decomposition.repairing import Repair, opened_pairs
from cdn.placement.decomposition.restricted_master import settle_by_sets
from cdn.placement.decomposition.routing import route, saving_of
from cdn.placement.decomposition.tables import BlockPrices, build_tables
from cdn.placement.spare import use_spare_storage

LEAST_SPARE = 0.02
"""Caches with no more than this share of their storage empty are full."""
FEW_COPIES = 100
"""Caches that hold no more than so many assets on average hold few."""
PRICED_BY = 0.2
"""The share of the time limit after which prices move no more by search."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What a try found: a placement without spare copies, its cost, and prices with the bound that they prove."""

    stored: SiteAssets
    routing: Routing | None
    cost: float
    prices: Prices
    bound: float

    def joined(self, other: "_Found | None") -> "_Found":
        """The better placement of both with the better prices of both."""
        if other is None:
            return self
        placed = min(self, other, key=lambda found: found.cost)
        proved = max(self, other, key=lambda found: found.bound)
        return replace(placed, prices=proved.prices, bound=proved.bound)

    def is_within(self, gap: float | None) -> bool:
        return gap is not None and self.cost - self.bound <= gap * self.cost


def place_decomposition(
    problem: Problem,
    gap: float | None = None,
    time_limit_s: float | None = None,
    threads: int | None = None,
    start_prices: Prices | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> PlacerResult:
    """Places by decomposition. ``gap``: a certified gap that is good enough; a loose one is tried for with little work
    first (``efforts``). ``time_limit_s``: the best placement by about then, with its honest bound; only a run that
    hits it depends on the machine. ``threads``: by default one per processor; the result is the same for any number.
    ``start_prices``: last night's. ``progress`` is told what begins.
    """
    with closing(BlockPasses(build_tables(problem), threads or os.cpu_count() or 1)) as passes:
        return _place(problem, passes, gap, Clock(time_limit_s), start_prices, progress)


def _place(
    problem: Problem,
    passes: BlockPasses,
    gap: float | None,
    clock: Clock,
    start_prices: Prices | None,
    progress: Callable[[str], None],
) -> PlacerResult:
    limits = find_rate_limits(problem, passes.tables)
    best, passes_made = None, 0.0
    for efforts in rounds(gap, start_prices is not None, len(limits) > 0, len(passes.tables.size_bytes)):
        pricing = Pricing(passes.tables, limits, passes)
        levels = pricing.first_levels() if start_prices is None else pricing.levels_of(problem, start_prices)
        best = _make_efforts(problem, pricing, levels, efforts, gap, clock, progress).joined(best)
        passes_made += pricing.solved_assets / max(len(pricing.order), 1)
        if best.is_within(gap) or clock.is_past(PRICED_BY):  # later than that a new round's prices would not settle
            break
    assert best is not None
    return PlacerResult(
        Placement(use_spare_storage(problem, best.stored, LEAST_SPARE), best.routing),
        "feasible",
        f"time limit of {clock.limit_s:g} s"
        if clock.is_past()
        else f"prices settled in {passes_made:.1f} passes, blocks proved, placement fitted",
        best.prices,
    )


def _make_efforts(
    problem: Problem,
    pricing: Pricing,
    levels: PriceLevels,
    efforts: list[Effort],
    gap: float | None,
    clock: Clock,
    progress: Callable[[str], None],
) -> _Found:
    """The best of these efforts, one after the other from ``levels`` until one is good enough."""
    passes, best = pricing.passes, None
    for effort in efforts:
        levels, tolerances = _settle(problem, pricing, levels, effort, clock, progress)
        start = None
        if effort.moves and _hold_few(pricing) and _storage_alone_binds(pricing):
            progress("sets of caches")
            levels = levels.without_traces()
            levels.storage, start = settle_by_sets(
                passes, levels.block_prices(pricing.limits), pricing.order, pricing.opened, lambda: clock.left_s(0.5)
            )
        best = _try(problem, passes, pricing, levels, start, effort, tolerances, clock, progress).joined(best)
        if best.is_within(gap) or clock.is_past(0.5):
            break
    assert best is not None
    return best


def _settle(
    problem: Problem,
    pricing: Pricing,
    levels: PriceLevels,
    effort: Effort,
    clock: Clock,
    progress: Callable[[str], None],
) -> tuple[PriceLevels, tuple[float, float]]:
    """Prices, and the tolerances of the blocks' proofs: as a share of a block's value, and in cost."""
    progress("prices")
    levels = pricing.settle(levels, effort.prices, is_late=lambda: clock.is_past(PRICED_BY))
    cost = max(_origin_cost(problem) - pricing.saving - pricing.worth(levels), 0.0)
    # Half in proportion to the blocks' values, half alike for all: small blocks need no long proofs.
    half = 0.5 * effort.tolerance * cost
    tolerances = (half / max(pricing.saving, 1e-300), half / max(len(pricing.order), 1))
    if effort.exact is not None:
        progress("exact prices")
        levels = pricing.settle(levels, effort.exact, tolerances, is_late=lambda: clock.is_past(0.4))
    return levels, tolerances


def _try(
    problem: Problem,
    passes: BlockPasses,
    pricing: Pricing,
    levels: PriceLevels,
    start: np.ndarray | None,
    effort: Effort,
    tolerances: tuple[float, float],
    clock: Clock,
    progress: Callable[[str], None],
) -> _Found:
    """A placement, from this ``start`` if there is one, and a bound at these prices."""
    limits, levels = pricing.limits, levels.without_traces()
    prices = levels.block_prices(limits)
    progress("proof")
    proof = prove(
        passes, prices, pricing.order, problem.origin_cost, pricing.opened, tolerances, pricing.elasticity,
        lambda: clock.is_past(0.6),
    )
    progress("placement")
    if start is None:
        _balance(passes, prices, pricing, proof.use, effort, clock)
    else:
        pricing.opened[:] = start
    saving = _fit(passes, prices, pricing, effort, clock)
    stored = SiteAssets.from_pairs(*opened_pairs(passes.tables, pricing.opened), len(problem.asset_index))
    routing = route(passes, limits, pricing.opened, levels.rate, pricing.rate_window) if len(limits) else None
    if routing is not None:
        saving = saving_of(passes, routing) - _fill_cost(problem, stored)
    serve, origin_cost = proof.serve, _origin_cost(problem)
    return _Found(
        stored,
        routing,
        origin_cost - saving,
        full_prices(problem, limits, levels.storage, levels.fill, levels.rate, serve, proof.branching),
        origin_cost - proof.bound - pricing.worth(levels),
    )


def _origin_cost(problem: Problem) -> float:
    demand = problem.demand
    asked = np.bincount(demand.region, weights=demand.bytes, minlength=len(problem.origin_cost))
    return float(asked @ problem.origin_cost)


def _fill_cost(problem: Problem, stored: SiteAssets) -> float:
    newly = stored.minus(problem.stored, problem.n_caches)
    return float(newly.bytes_per_site(problem.size_bytes, problem.n_caches) @ problem.fill_cost_per_byte)


def _hold_few(pricing: Pricing) -> bool:
    """Whether caches hold few assets each, on average, as the blocks are now."""
    return int(np.bitwise_count(pricing.opened).sum()) <= FEW_COPIES * len(pricing.tables.storage_bytes)


def _storage_alone_binds(pricing: Pricing) -> bool:
    return not len(pricing.limits) and bool(np.isinf(pricing.tables.fill_bytes).all())


def _balance(
    passes: BlockPasses, prices: BlockPrices, pricing: Pricing, use: np.ndarray, effort: Effort, clock: Clock
) -> None:
    """Sweeps of balancing what is opened, which uses ``use`` (2, S)."""
    moving = prices
    for _ in range(effort.sweeps):
        if clock.is_past(0.75):
            break
        moving = reacting_prices(passes, moving, pricing.elasticity, use, 1.0)
        use = balance(passes, moving, pricing.elasticity, pricing.order, pricing.opened, use)


def _fit(passes: BlockPasses, prices: BlockPrices, pricing: Pricing, effort: Effort, clock: Clock) -> float:
    """The repair that makes it fit, then freeing and filling again while that helps; where caches hold few assets and
    storage alone binds, moves of copies. Returns what is saved, fill costs and rate prices taken off."""
    opened, order = pricing.opened, pricing.order
    repair = Repair(passes, prices, order, opened)
    repair.fit()
    few = _hold_few(pricing)
    for freed in effort.freed + (effort.freed_of_few if few else ()):
        if clock.is_past(0.85):
            break
        repair.improve(freed)
    if few and effort.moves and _storage_alone_binds(pricing):
        return repair.saving + move_copies(passes, prices, order, opened, lambda: clock.is_past(0.9))
    return repair.saving

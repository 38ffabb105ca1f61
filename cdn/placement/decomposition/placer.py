"""decomposition: price the limits, solve each asset's block, prove the bound block by block, and fit a placement.

The Lagrangian relaxation of DESIGN's model (Applegate et al., CoNEXT 2010 and IPCO 2013): at prices of storage, fill,
egress and links the assets fall apart. Whole assets are placed in the blocks, so the bound is better than that of the
linear relaxation (Geoffrion 1974), and the certificate carries what makes each block's bound checkable.
"""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from cdn.model.placement import Placement, PlacerResult, Prices
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.balancing import balance, reacting_prices
from cdn.placement.decomposition.limits import find_rate_limits, full_prices
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.pricing import COLD, EXACT, LEAST_PRICE, WARM, PriceLevels, Pricing
from cdn.placement.decomposition.proving import prove
from cdn.placement.decomposition.repairing import Repair, opened_pairs
from cdn.placement.decomposition.routing import route
from cdn.placement.decomposition.tables import BlockPrices, build_tables
from cdn.placement.spare import use_spare_storage

TOLERANCE = 4e-4
"""What the blocks' proofs may leave open, as a share of the cost."""
SWEEPS = 3
LEAST_SPARE = 0.02
"""Caches with no more than this share of their storage empty are full."""
LOOSE_GAP, LOOSE_SHARE = 0.02, 0.2
FREED_SHARES, MORE_FREED = (0.005, 0.005, 0.0025), (0.01, 0.02, 0.05, 0.1)
FEW_COPIES = 100
"""Where caches hold no more than this on average, a small share of one is no asset: more is freed too."""


@dataclass(eq=False)
class _Clock:
    """Time since the start, against a limit in seconds (None: no limit)."""

    limit_s: float | None
    started: float

    def is_past(self, share: float) -> bool:
        return self.limit_s is not None and time.monotonic() - self.started > share * self.limit_s


def place_decomposition(
    problem: Problem,
    gap: float | None = None,
    time_limit_s: float | None = None,
    threads: int | None = None,
    start_prices: Prices | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> PlacerResult:
    """Places by decomposition. ``gap``: a certified gap that is good enough; from ``LOOSE_GAP`` on less work is done.
    ``time_limit_s``: the best placement by about then, with its honest bound; only a run that hits it depends on the
    machine. ``threads``: by default one per processor; the result is the same for any number. ``start_prices``: last
    night's. ``progress`` is told what begins.
    """
    with closing(BlockPasses(build_tables(problem), threads or os.cpu_count() or 1)) as passes:
        return _place(problem, passes, gap, _Clock(time_limit_s, time.monotonic()), start_prices, progress)


def _place(
    problem: Problem,
    passes: BlockPasses,
    gap: float | None,
    clock: _Clock,
    start_prices: Prices | None,
    progress: Callable[[str], None],
) -> PlacerResult:
    limits = find_rate_limits(problem, passes.tables)
    pricing = Pricing(passes.tables, limits, passes)
    levels, tolerances = _settle(problem, pricing, start_prices, gap, clock, progress)
    prices = levels.block_prices(limits)
    progress("proof")
    proof = prove(
        passes, prices, pricing.order, problem.origin_cost, pricing.opened, tolerances, pricing.elasticity,
        lambda: clock.is_past(0.6),
    )
    progress("placement")
    _fit(passes, prices, pricing, proof.use, clock)
    stored = SiteAssets.from_pairs(*opened_pairs(passes.tables, pricing.opened), len(problem.asset_index))
    routing = route(passes, limits, pricing.opened, levels.rate, pricing.rate_window) if len(limits) else None
    return PlacerResult(
        Placement(use_spare_storage(problem, stored, LEAST_SPARE), routing),
        "feasible",
        f"time limit of {clock.limit_s:g} s" if clock.is_past(1.0) else _reason(pricing),
        full_prices(problem, limits, levels.storage, levels.fill, levels.rate, proof.serve, proof.branching),
    )


def _reason(pricing: Pricing) -> str:
    passes = pricing.solved_assets / max(len(pricing.order), 1)
    return f"prices settled in {passes:.1f} passes, blocks proved, placement fitted"


def _settle(
    problem: Problem,
    pricing: Pricing,
    start_prices: Prices | None,
    gap: float | None,
    clock: _Clock,
    progress: Callable[[str], None],
) -> tuple[PriceLevels, tuple[float, float]]:
    """Prices, and the tolerances of the blocks' proofs: as a share of a block's value, and in cost."""
    progress("prices")
    if start_prices is None:
        levels = pricing.settle(pricing.first_levels(), COLD, is_late=lambda: clock.is_past(0.2))
    else:
        levels = pricing.levels_of(problem, start_prices)
        levels = pricing.settle(levels, WARM, is_late=lambda: clock.is_past(0.2))
    demand = problem.demand
    origin_cost = float(demand.bytes @ problem.origin_cost[demand.region])
    cost = max(origin_cost - pricing.saving - pricing.worth(levels), 0.0)
    allowed = (TOLERANCE if gap is None else max(TOLERANCE, LOOSE_SHARE * gap)) * cost
    # Half in proportion to the blocks' values, half alike for all: small blocks need no long proofs.
    tolerances = (0.5 * allowed / max(pricing.saving, 1e-300), 0.5 * allowed / max(len(pricing.order), 1))
    if gap is None or gap < LOOSE_GAP:
        progress("exact prices")
        levels = pricing.settle(levels, EXACT, tolerances, is_late=lambda: clock.is_past(0.4))
    levels.storage[levels.storage <= 10 * LEAST_PRICE * levels.storage.max(initial=0.0)] = 0.0
    levels.fill[levels.fill <= 10 * LEAST_PRICE * levels.fill.max(initial=0.0)] = 0.0
    return levels, tolerances


def _fit(passes: BlockPasses, prices: BlockPrices, pricing: Pricing, use: np.ndarray, clock: _Clock) -> None:
    """Sweeps of balancing, then the repair that makes it fit, then freeing and filling again while that helps."""
    opened, order = pricing.opened, pricing.order
    moving = prices
    for _ in range(SWEEPS):
        if clock.is_past(0.75):
            break
        moving = reacting_prices(passes, moving, pricing.elasticity, use, 1.0)
        use = balance(passes, moving, pricing.elasticity, order, opened, use)
    repair = Repair(passes, prices, order, opened)
    repair.fit()
    copies = int(np.bitwise_count(opened).sum())
    few = copies <= FEW_COPIES * len(passes.tables.storage_bytes)
    for freed in FREED_SHARES + (MORE_FREED if few else ()):
        if clock.is_past(0.9):
            break
        repair.improve(freed)

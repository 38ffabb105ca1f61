"""decomposition: prices for the coupling limits, one exactly solved block per asset, rounding; certified by the prices."""

import os
import time
from dataclasses import dataclass, field

import numpy as np

from cdn.model.placement import Placement, PlacerResult, Prices, Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.candidates import limits_may_bind
from cdn.placement.decomposition.blocks import BlockData, Limits, make_blocks, make_limits
from cdn.placement.decomposition.crediting import serve_prices
from cdn.placement.decomposition.passes import BlockSolver, Effort, Pass
from cdn.placement.decomposition.pricing import PriceSteps, first_prices, typical_prices
from cdn.placement.decomposition.rounding import Holding, Rounding
from cdn.placement.decomposition.routing import route_groups

ROUGH = Effort(iterations=8, tolerance=1e-3, node_limit=0)
FINE = Effort(iterations=20, tolerance=3e-4, node_limit=60)
EXACT = Effort(iterations=40, tolerance=2e-5, node_limit=2000)
ROUGH_PASSES, LOAD_PASSES, MOST_PASSES = 16, 30, 150
SETTLED = 0.02
ROUND_EVERY = 3
RUIN_SHARES = (0.01, 0.03, 0.1, 0.3)


@dataclass(eq=False)
class Search:
    """The state of one run. Savings are over serving everything from the origin, which costs ``origin_cost``."""

    problem: Problem
    blocks: BlockData
    limits: Limits
    solver: BlockSolver
    steps: PriceSteps
    origin_cost: float
    deadline: float
    gap: float
    passes: int = 0
    saving: float = -np.inf
    holding: Holding | None = None
    routing: Routing | None = None
    seconds_of: dict[str, float] = field(default_factory=dict)

    @property
    def bound(self) -> float:
        """Lower bound on the cost."""
        return self.origin_cost - self.steps.best_saving

    @property
    def found_gap(self) -> float:
        cost = self.origin_cost - self.saving
        return (cost - self.bound) / cost if cost > 0 else 0.0

    def out_of_time(self, *parts: str) -> bool:
        """Would these parts, as long as they took the last time, run over the deadline?"""
        return time.monotonic() + sum(self.seconds_of.get(part, 0.0) for part in parts) > self.deadline

    def run_pass(self, effort: Effort) -> Pass:
        started = time.monotonic()
        done = self.solver.solve(self.steps.price, effort)
        limit = np.where(np.isfinite(self.limits.limit), self.limits.limit, 0.0)
        self.steps.note(done.bound + float(self.steps.price @ limit), done.load)
        self.passes += 1
        self.seconds_of["pass"] = time.monotonic() - started
        return done

    def round(self) -> None:
        """Rounds the last pass's choices and keeps the placement if it is the best one."""
        started = time.monotonic()
        rounding = self._rounding()
        self._keep_if_better(rounding, rounding.of_choices())
        self.seconds_of["round"] = time.monotonic() - started

    def _keep_if_better(self, rounding: Rounding, holding: Holding) -> None:
        saving, routing = rounding.saving_of(holding), None
        if self.limits.rate_rows.shape[0]:
            routing, delivered = route_groups(self.blocks, self.limits, holding)
            saving = delivered - rounding.fill_cost_of(holding)
        if saving > self.saving:
            self.holding, self.saving, self.routing = holding, saving, routing

    def improve(self) -> None:
        """Exchanges on the best placement."""
        assert self.holding is not None
        rounding = self._rounding()
        for share in RUIN_SHARES:
            self._keep_if_better(rounding, rounding.ruined(self.holding, share))

    def _rounding(self) -> Rounding:
        return Rounding(self.solver, self.solver.prices_of(self.steps.price))


def place_decomposition(problem: Problem, gap: float = 0.002, time_limit_s: float | None = None,
                        start_prices: Prices | None = None, threads: int | None = None) -> PlacerResult:
    """Places by price decomposition until cost is certified within ``gap`` of the optimum or time is up.

    ``start_prices``: a night's prices before, of the same sites. The result does not depend on ``threads``. The bound is
    ``solver_bound``; ``cdn.evaluation.block_bound`` recomputes it from the prices.
    """
    deadline = np.inf if time_limit_s is None else time.monotonic() + time_limit_s
    search = _start(problem, gap, deadline, start_prices, threads or os.cpu_count() or 1)
    reason = _search(search, warm=start_prices is not None)
    return _result(search, reason)


def _start(problem: Problem, gap: float, deadline: float, start: Prices | None, threads: int) -> Search:
    blocks = make_blocks(problem)
    limits = make_limits(problem, blocks, limits_may_bind(problem))
    typical = typical_prices(blocks, limits)
    price = first_prices(typical, limits)
    if start is not None:
        given = np.concatenate([part.ravel() for part in (start.storage, start.fill, start.egress, start.link)])
        price[:] = np.where(np.isfinite(limits.limit), given[: len(price)], 0.0)
    origin_cost = float(problem.demand.bytes @ problem.origin_cost[problem.demand.region])
    return Search(problem, blocks, limits, BlockSolver(blocks, limits, threads), PriceSteps(limits, typical, price),
                  origin_cost, deadline, gap)


def _search(search: Search, warm: bool) -> str:
    """Moves prices until the gap is reached, nothing moves any more or time is up; says which."""
    steps = search.steps
    rough = 4 if warm else ROUGH_PASSES
    while True:
        fine = search.passes >= rough
        done = search.run_pass(FINE if fine else ROUGH)
        settled = steps.imbalance(done.load) <= SETTLED * max(done.value, 0.0)
        last = search.out_of_time("pass", "round")
        if last or (fine and (search.passes - rough) % ROUND_EVERY == 0 and (settled or search.passes > LOAD_PASSES)):
            search.round()
            if search.found_gap <= search.gap:
                return f"gap reached after {search.passes} passes"
        if last:
            return f"time limit after {search.passes} passes"
        if search.passes >= MOST_PASSES:
            search.improve()
            return f"{MOST_PASSES} passes"
        if search.passes <= rough + LOAD_PASSES or search.holding is None:
            steps.step_by_load(done.load)
        else:
            steps.step_towards(search.saving, done.bound + float(steps.price @ np.where(
                np.isfinite(search.limits.limit), search.limits.limit, 0.0)), done.load)


def _result(search: Search, reason: str) -> PlacerResult:
    problem, limits = search.problem, search.limits
    assert search.holding is not None
    price = search.steps.best_price
    n, hours, links = limits.n_caches, limits.n_hours, limits.n_links
    whole = np.zeros(2 * n + hours * (n + links))
    whole[: len(price)] = price
    origin = problem.demand.bytes * problem.origin_cost[problem.demand.region]
    prices = Prices(
        storage=whole[:n], fill=whole[n:2 * n], egress=whole[2 * n:2 * n + hours * n].reshape(hours, n),
        link=whole[2 * n + hours * n:].reshape(hours, links), serve=serve_prices(search.solver, price, origin))
    return PlacerResult(Placement(_stored(search.holding, len(problem.size_bytes)), search.routing), "feasible", reason, prices,
                        solver_bound=search.bound)


def _stored(holding: Holding, n_assets: int) -> SiteAssets:
    count = holding.count.astype(np.int64)
    asset = np.repeat(np.arange(n_assets, dtype=np.int64), count)
    within = np.arange(len(asset)) - np.repeat(np.cumsum(count) - count, count)
    return SiteAssets.from_pairs(holding.site[holding.first[asset] + within], asset, n_assets)

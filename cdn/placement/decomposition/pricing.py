"""Prices of the limits: stochastic approximation of the Lagrangian dual.

The dual is concave in the prices and its gradient is use minus limit. Passes over all assets would mostly repeat
themselves, so a step looks at a sample that stands for all (every B-th asset of the list ordered by demand per byte):
an unbiased gradient, at a B-th of the cost (Robbins & Monro 1951; Polyak & Juditsky 1992 for averaging the late
iterates). Each price moves by how far its use is off, over how its use answers its own price: the blocks tell at which
price of the cache each asset would come or go, substitutes taken into account, which gives the elasticity. Demand that
a price drives away goes to the caches nearby, so prices of a neighbourhood answer each other and would rise and fall
together slowly: a price keeps most of the speed that it has (heavy ball, Polyak 1964).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.limits import MEMORY, RateLimits, own_prices, rate_changes
from cdn.placement.decomposition.passes import NEAR, BlockPasses, Sample, Sums
from cdn.placement.decomposition.tables import BlockPrices, BlockTables

SAMPLE_ASSETS = 250
LONGEST_STEP = 0.7
LOCAL = (-1.0, 0.0)
"""Tolerances that ask for no branching."""
AVERAGED_SHARE = 0.4
LEAST_ELASTICITY, LEAST_PRICE, LOWEST_START = 0.3, 1e-7, 1e-3
RATE_WINDOW_SHARE = 0.1
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Schedule:
    """How many steps to take, and their lengths from the first to the last, geometrically. ``momentum``: the share of
    a step that is taken again in the next; a lasting force moves prices by a step's length over what is not."""

    steps: int
    first: float
    last: float
    momentum: float = 0.8

    def length(self, step: int) -> float:
        return self.first * (self.last / self.first) ** (step / max(self.steps - 1, 1))


COLD, WARM, EXACT = Schedule(240, 0.4, 0.02), Schedule(70, 0.1, 0.02), Schedule(100, 0.1, 0.007)


@dataclass(eq=False)
class PriceLevels:
    """Prices while they move: ``storage``, ``fill`` (S,), ``rate`` (H, K) of the rate limits that could bind."""

    storage: np.ndarray
    fill: np.ndarray
    rate: np.ndarray

    def copy(self) -> "PriceLevels":
        return PriceLevels(self.storage.copy(), self.fill.copy(), self.rate.copy())

    def at_nothing(self) -> "PriceLevels":
        return PriceLevels(*(np.zeros_like(part) for part in _arrays(self)))

    def slow_down(self, momentum: float) -> None:
        """Of speeds, which come in the same three parts as prices."""
        for part in _arrays(self):
            part *= momentum

    def without_traces(self) -> "PriceLevels":
        """The same with prices of storage and fill that never rose from next to nothing at nothing."""
        return PriceLevels(_without_traces(self.storage), _without_traces(self.fill), self.rate)

    def block_prices(self, limits: RateLimits) -> BlockPrices:
        return BlockPrices(self.storage, self.fill, limits.rate_prices(self.rate))


class Pricing:
    """Moves prices of one problem. ``solved_assets`` counts block solutions: over A these are passes."""

    def __init__(self, tables: BlockTables, limits: RateLimits, passes: BlockPasses) -> None:
        self.tables, self.limits, self.passes = tables, limits, passes
        self.order = demand_order(tables)
        self.opened = closed_rows(len(tables.size_bytes), len(tables.storage_bytes))
        self.solved_assets, self.saving = 0, 0.0
        self._chance: np.ndarray | None = None
        self._reached = np.zeros(0)
        self.rate_window = rate_window(tables) if len(limits) else np.zeros(0)
        n_sites = len(tables.storage_bytes)
        self._elasticity = {"storage": np.full(n_sites, np.nan), "fill": np.full(n_sites, np.nan)}
        self._slope = np.zeros((len(limits.factor), len(limits)))
        self.binding = {
            "storage": np.isfinite(tables.storage_bytes) & (tables.storage_bytes > 0),
            "fill": np.isfinite(tables.fill_bytes) & (tables.fill_bytes < tables.storage_bytes) & (tables.fill_bytes >
        0), }

    def first_levels(self) -> PriceLevels:
        """A start: all that storage could save, spread evenly over its bytes."""
        t = self.tables
        storage = np.where(np.isfinite(t.storage_bytes), t.storage_bytes, 0.0).sum()
        best = np.zeros(len(t.first_candidate) - 1)
        np.maximum.at(best, np.repeat(np.arange(len(best)), np.diff(t.first_candidate)), t.candidate_saving)
        # Added up by region: the digits of a long product of vectors depend on the threads of the machine's BLAS.
        asked = np.bincount(t.region, weights=t.bytes, minlength=len(best))
        scale = 0.3 * float(asked @ best) / storage if storage else 0.0
        n_sites = len(t.storage_bytes)
        levels = PriceLevels(
            np.where(self.binding["storage"], scale, 0.0),
            np.where(self.binding["fill"], 0.1 * scale, 0.0),
            np.zeros((len(self.limits.factor), len(self.limits))),
        )
        # A cache without storage must not be opened by any asset: its price is never looked at, its storage is.
        assert len(levels.storage) == n_sites
        return levels

    def levels_of(self, problem: Problem, prices: Prices) -> PriceLevels:
        """A start from prices of the same network. What was priced at nothing starts at next to nothing."""
        storage, fill = (np.array(part, dtype=np.float64) for part in (prices.storage, prices.fill))
        for name, price in (("storage", storage), ("fill", fill)):
            price[~self.binding[name]] = 0.0
            low = self.binding[name] & (price <= 0)
            price[low] = LOWEST_START * price.max(initial=0.0)
        return PriceLevels(storage, fill, own_prices(problem, self.limits, prices))

    def worth(self, levels: PriceLevels) -> float:
        """What the limits are worth at these prices."""
        t = self.tables
        total = float((levels.rate @ self.limits.limit_bps).sum())
        for name, price, limit in (("storage", levels.storage, t.storage_bytes), ("fill", levels.fill, t.fill_bytes)):
            bound = self.binding[name]
            total += float(price[bound] @ limit[bound])
        return total

    @property
    def elasticity(self) -> np.ndarray:
        """(2, S) of the use of storage and fill, as seen lately."""
        return np.array([np.where(np.isnan(seen), 1.0, seen) for seen in self._elasticity.values()])

    def settle(
        self,
        levels: PriceLevels,
        schedule: Schedule,
        tolerances: tuple[float, float] = LOCAL,
        is_late: Callable[[], bool] = lambda: False,
    ) -> PriceLevels:
        """Takes a schedule's steps from ``levels``; returns the average of the late iterates, or, where it ``is_late``
        before those, the last one. Sets ``saving`` to that of the blocks in the late steps."""
        levels = levels.copy()
        n_assets = len(self.order)
        n_samples = max(1, round(n_assets / SAMPLE_ASSETS))
        turn = _turns(n_samples)
        averaged_from = round(schedule.steps * (1 - AVERAGED_SHARE))
        savings: list[float] = []
        sums, speed = levels.at_nothing(), levels.at_nothing()
        for step in range(schedule.steps):
            if len(self.limits):
                sample = self._sample_by_demand(step)
            else:
                chosen = self.order[turn[step % n_samples] :: n_samples]
                sample = Sample(chosen, np.full(len(chosen), n_assets / max(len(chosen), 1)))
            found = self.look(levels, sample, tolerances)
            speed.slow_down(schedule.momentum)
            self._move(levels, speed, found, schedule.length(step), tolerances == LOCAL)
            if is_late():
                self.saving = float(found.saving)
                return levels
            if step >= averaged_from:
                savings.append(float(found.saving))
                for kept, now in zip(_arrays(sums), _arrays(levels), strict=True):
                    kept += now
        self.saving = float(np.mean(savings)) if savings else 0.0
        n_averaged = schedule.steps - averaged_from
        return PriceLevels(*(kept / n_averaged for kept in _arrays(sums))) if n_averaged else levels

    def _sample_by_demand(self, step: int) -> Sample:
        """Loads are made by few assets: half of the sample is drawn in proportion to the bytes asked for, half evenly
        (systematic sampling with unequal probabilities, Madow 1949)."""
        if self._chance is None:
            asked = np.add.reduceat(np.append(self.tables.bytes, 0.0), self.tables.indptr[:-1])[self.order]
            share = asked / max(asked.sum(), 1e-300)
            self._chance = np.minimum(SAMPLE_ASSETS * share + SAMPLE_ASSETS / max(len(asked), 1), 1.0)
            self._reached = np.cumsum(self._chance)
        crossed = np.floor(self._reached + (step * GOLDEN) % 1.0)
        chosen = np.flatnonzero(np.diff(crossed, prepend=0.0) > 0)
        return Sample(self.order[chosen], 1 / self._chance[chosen])

    def look(self, levels: PriceLevels, sample: Sample, tolerances: tuple[float, float] = LOCAL) -> Sums:
        """Solves the sample's blocks at these prices."""
        self.solved_assets += len(sample.assets)
        prices, fills = levels.block_prices(self.limits), bool(self.binding["fill"].any())
        return self.passes.price(prices, sample, self.opened, tolerances, fills, self.rate_window)

    def _move(self, levels: PriceLevels, speed: PriceLevels, found: Sums, step: float, with_near: bool) -> None:
        """Adds a step to ``speed`` (of storage and fill: of the prices' logarithms), and that to ``levels``."""
        t = self.tables
        for name, price, moving, use, limit, near in (
            ("storage", levels.storage, speed.storage, found.use[0], t.storage_bytes, found.near[0]),
            ("fill", levels.fill, speed.fill, found.use[1], t.fill_bytes, found.near[1]),
        ):
            bound = self.binding[name]
            if not bound.any():
                continue
            off = use[bound] / limit[bound] - 1
            if with_near:
                self._remember(name, near[bound] / limit[bound], bound)
            elasticity = self._elasticity[name][bound]
            moving[bound] += np.clip(step * off / elasticity, -LONGEST_STEP, LONGEST_STEP)
            price[bound] *= np.exp(moving[bound])
            price[bound] = np.maximum(price[bound], LEAST_PRICE * price.max(initial=0.0))
        if len(self.limits):
            changes, self._slope = rate_changes(
                self.limits, self.rate_window, self._slope, found.flow, found.loose, step
            )
            before = levels.rate
            levels.rate = np.maximum(before + speed.rate + changes, 0.0)
            speed.rate = levels.rate - before  # a price that has come down to nothing has no speed

    def _remember(self, name: str, near: np.ndarray, bound: np.ndarray) -> None:
        """Elasticity of use: the share of the limit that comes or goes with a relative change of the price. ``near``:
        the share that does so within ``NEAR`` of it, either way."""
        fresh = np.maximum(near / (2 * NEAR), LEAST_ELASTICITY)
        old = self._elasticity[name][bound]
        self._elasticity[name][bound] = np.where(np.isnan(old), fresh, MEMORY * old + (1 - MEMORY) * fresh)


def _without_traces(price: np.ndarray) -> np.ndarray:
    return np.where(price > 10 * LEAST_PRICE * price.max(initial=0.0), price, 0.0)


def _arrays(levels: PriceLevels) -> tuple[np.ndarray, ...]:
    return levels.storage, levels.fill, levels.rate


def demand_order(tables: BlockTables) -> np.ndarray:
    """(A,) assets with demand, those with most bytes asked for per byte stored first."""
    counts = np.diff(tables.indptr)
    asked = np.add.reduceat(np.append(tables.bytes, 0.0), tables.indptr[:-1]) * (counts > 0)
    density = np.divide(asked, tables.size_bytes, where=tables.size_bytes > 0, out=np.full(len(asked), np.inf))
    order = np.argsort(-density, kind="stable")
    pinned = np.diff(tables.pinned_indptr) > 0
    return order[(asked[order] > 0) | pinned[order]]


def rate_window(tables: BlockTables) -> np.ndarray:
    """(C,) a small change of a candidate's rate price: a share of what a bit/s it serves saves."""
    peak, total = float(tables.peak_bps.sum()), float(tables.bytes.sum())
    return RATE_WINDOW_SHARE * tables.candidate_saving * (total / peak if peak else 0.0)


def _turns(n: int) -> np.ndarray:
    """0..n - 1 in an order that spreads out (a golden-ratio sequence)."""
    return np.argsort((np.arange(n) * GOLDEN) % 1.0, kind="stable")

"""One set of caches for each asset, proved best.

    max  sum_m saving[m] z[m]     one set z of each asset, one packing w of each limit of storage or fill
    paired   sum of the z whose set has the pair  <=  sum of the w whose packing has it     for each pair and limit

The relaxation is as good as the best prices of these rows (``pricing``), with packings whole: on instances of a hundred
assets and ten caches a sixth of the gap that prices per byte leave (Geoffrion 1974). What no better choice can have
depends on how good that is, so the search first looks for what is hardly worse than the bound, then for ever less,
until it finds something: as little is looked at as if the best had been known from the start.
"""

from dataclasses import dataclass

import numpy as np

from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates
from cdn.placement.choosing.pricing import FIRST_LENGTH, LEAST_LENGTH, improve_prices
from cdn.placement.choosing.searching import DONE, begin_search, look_at_root, search_on
from cdn.placement.choosing.tables import ALIVE, Limits, build_set_tables, find_limits, make_workspace, undecided
from cdn.placement.clock import Clock
from cdn.placement.exchanging import exchange
from cdn.placement.subsets import Subsets, list_subsets

ROOT_STEPS, STEPS_AT_ONCE, ROOT_PATIENCE = 1500, 150, 60
NODES_AT_ONCE = 20
FIRST_SHARE, MORE_SHARE = 1e-5, 2.0
"""How far below the bound is looked first, as a share of it, and how much farther each time."""
NEAR, PAYING = 5e-4, 1e-5
"""What counts as near below a bound, and as a gain, as shares of it."""
SAFE = 1e-6
"""Share of the saving by which figures may be off."""


@dataclass(frozen=True, eq=False)
class Choice:
    """``held`` (P,) pairs, feasible, with what they save; no choice saves more than ``most_saving``. ``is_optimal``:
    within the asked gap. ``n_nodes`` branch and bound looked at."""

    held: np.ndarray
    saving: float
    most_saving: float
    is_optimal: bool
    n_nodes: int


def choose_sets(
    problem: Problem, candidates: Candidates, prices: Prices, gap: float, time_limit_s: float | None
) -> Choice:
    """The choice that saves most under storage and fill limits, within ``gap`` of the saving. ``prices``: where to
    begin; of those only storage and fill are looked at."""
    clock = Clock(time_limit_s)
    sets, limits = list_subsets(problem, candidates), find_limits(problem, candidates, prices.storage, prices.fill)
    held, saving = exchange(problem, candidates, candidates.pinned)
    unit = float(np.abs(sets.saving).max(initial=0.0)) or 1.0
    root = _Node(sets, limits, candidates, limits.begin_with())
    bound = root.settle_closely(saving + gap * abs(saving), clock)
    scale = max(abs(bound), unit)
    most, share, n_nodes = bound + SAFE * scale, FIRST_SHARE, 0

    def keep(chosen: np.ndarray, of: Subsets) -> None:
        nonlocal held, saving
        better, more = exchange(problem, candidates, of.pairs[:, chosen].sum(axis=1) > 0)
        if more > saving:
            held, saving = better, more

    def is_proved() -> bool:
        return most - saving <= gap * abs(saving) + SAFE * max(abs(saving), unit)

    while not is_proved() and not clock.is_past():
        least = max(bound - share * scale, saving + gap * abs(saving))
        kept, chosen = root.look(least)
        if chosen is not None:
            keep(chosen, sets)
        node = None if kept is None else _Node(sets.take(kept), limits, candidates, root.work.price)
        if node is None or node.settle(least, clock) <= least:
            most = min(most, max(least, saving))
        elif not clock.is_past():
            search = begin_search(node.tables, node.work.price, saving, least, gap)
            while search.depth[0] != DONE and not clock.is_past():
                search_on(node.tables, node.work, node.decisions, search, NODES_AT_ONCE)
            if search.has_found():
                keep(search.chosen, node.sets)
            if search.depth[0] == DONE:
                most = min(most, max(float(search.least[0]), saving))
            n_nodes += int(search.n_nodes[0])
        share *= MORE_SHARE
    return Choice(held, saving, most, is_proved(), n_nodes)


class _Node:
    """Some of all sets, at prices of their own."""

    def __init__(self, sets: Subsets, limits: Limits, c: Candidates, price: np.ndarray) -> None:
        self.sets, self.tables = sets, build_set_tables(sets, limits, np.unique(c.asset, return_inverse=True)[1])
        self.work, self.decisions = make_workspace(self.tables), undecided(self.tables)
        self.work.price[:] = price

    def settle(self, target: float, clock: Clock) -> float:
        """Settles the prices; what they bound. Ends at the target."""
        bound, length, n_steps = np.inf, FIRST_LENGTH, 0
        while bound > target and length >= LEAST_LENGTH and n_steps < ROOT_STEPS and not clock.is_past():
            found, length = improve_prices(
                self.tables, self.work, self.decisions, target, STEPS_AT_ONCE, ROOT_PATIENCE, length
            )
            bound, n_steps = min(bound, found), n_steps + STEPS_AT_ONCE
        return bound

    def settle_closely(self, target: float, clock: Clock) -> float:
        """The same, then again towards targets not far below the bound, for as long as that pays: steps towards a
        target out of reach are too long."""
        bound, before = self.settle(target, clock), np.inf
        while bound > target and before - bound > PAYING * abs(bound):
            before = bound
            bound = min(bound, self.settle(max(bound - NEAR * abs(bound), target), clock))
        return bound

    def look(self, least: float) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Positions of the sets that a choice may have that saves more than ``least`` (None: there is no such choice),
        and those of a rounded choice (None: not found)."""
        self.decisions.ruled_out[:] = ALIVE
        is_open, saving = look_at_root(self.tables, self.work, self.decisions, least)
        kept = np.flatnonzero(self.decisions.ruled_out == ALIVE) if is_open else None
        return kept, self.work.chosen.copy() if np.isfinite(saving) else None

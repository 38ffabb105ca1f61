"""The checker's replay: carries a fill plan out step by step and notes every rule that a step breaks.

Shares no code with the planner. Rules (``PlanFault.rule``):
order        steps stand in the order of their starts; a removal takes no time and has no source
window       every step lies inside its appliance's fill window of the night
rate         a transfer takes as long as its bytes need at the fill rate, rounded up to the microsecond
in turn      an appliance starts a transfer when the one before has ended, and at once
there        only what is there is removed, only what is not there is added
wanted       only what the placement asks for is added, once per site, and only that which is left over is removed
storage      no appliance ever holds more than it stores when an addition begins
forbidden    what may no longer be stored leaves before anything else happens, as the window opens
late         other removals wait: until room is needed, and else until the window closes
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from cdn.filling.wall_clock import windows_by_clock
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import FillPlan, StoredNow
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology

LAST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class PlanFault:
    """A rule a plan breaks. ``step`` counts from 1 as in the file; None where the fault is the plan's as a whole."""

    step: int | None
    rule: str
    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        step = "plan" if self.step is None else f"step {self.step}"
        return f"{step}: {self.rule}: {self.where}: {self.found}, expected {self.expected}"


def needed_us(size_bytes: int, fill_bps: float) -> int | None:
    """Whole microseconds a transfer needs at least; None where it never ends."""
    if fill_bps == np.inf:
        return 0
    if fill_bps <= 0:
        return None
    exact = Fraction(8_000_000 * size_bytes) / Fraction(fill_bps)
    return exact.numerator // exact.denominator + (exact.denominator > 1)


class Replay:
    """The state of all appliances while a plan is carried out. ``faults``: what it found. ``held``: (appliance, asset)
    pairs there in the end, of the assets the plan touches. ``copies``: rows (asset, site, from_us, from_step, until_us,
    until_step), one for each copy of such an asset that was there at some time. ``busy_us``: how long each appliance
    was filled."""

    def __init__(self, topology: Topology, catalog: Catalog, stored_now: StoredNow, placement: SiteAssets,
                 plan: FillPlan, night: pd.Timestamp):
        self.topology, self.catalog, self.plan = topology, catalog, plan
        self.faults: list[PlanFault] = []
        self.site: list[int] = topology.appliance_sites.tolist()
        self.storage = [a.storage_bytes for a in topology.appliances]
        self.window = windows_by_clock(topology, night)
        self.size: list[int] = catalog.size_bytes.tolist()
        self.used = _used_bytes(stored_now, catalog.size_bytes, len(self.site))
        self.free_from = [opening for opening, _ in self.window]
        self.busy_us = [0] * len(self.site)
        self.waiting: list[list[tuple[int, int, int]]] = [[] for _ in self.site]
        self.begun = [False] * len(self.site)
        self.unlicensed = set(np.flatnonzero(~catalog.licensed_on(pd.Timestamp(night))).tolist())
        touched = np.isin(stored_now.asset, plan.asset)
        self.held: dict[tuple[int, int], int] = {}
        self.copies: list[list[int]] = []
        self.at_site: dict[tuple[int, int], int] = {}
        for i, asset in zip(stored_now.appliance[touched].tolist(), stored_now.asset[touched].tolist(), strict=True):
            self._arrive(i, asset, -LAST, -1)
        wanted = np.isin(placement.asset, plan.asset)
        self.wanted = set(zip(placement.site[wanted].tolist(), placement.asset[wanted].tolist(), strict=True))

    def run(self) -> None:
        """Carries out all steps; call once."""
        plan, previous = self.plan, -LAST
        rows = zip(plan.start_us.tolist(), plan.end_us.tolist(), plan.appliance.tolist(), plan.add.tolist(),
                   plan.asset.tolist(), plan.source.tolist(), strict=True)
        for step, (start, end, i, add, asset, source) in enumerate(rows):
            if start < previous:
                self._fault(step, "order", i, asset, f"starts at {_time(start)}",
                            f"not before {_time(previous)}, when step {step} starts")
            previous = start
            opening, closing = self.window[i]
            if start < opening or end > closing or end < start:
                self._fault(step, "window", i, asset, f"{_time(start)} to {_time(end)}",
                            f"inside {_time(opening)} to {_time(closing)}")
            if add:
                self._add(step, start, end, i, asset)
            else:
                self._remove(step, start, end, i, asset, source)
        self._end()

    def _end(self) -> None:
        for i, waiting in enumerate(self.waiting):
            self._must_start(waiting, i, self.window[i][1], "when the window closes: no addition needs the room")
        for (i, asset), row in self.held.items():
            if self.copies[row][3] >= 0 and self.at_site[self.site[i], asset] > 1:
                self._fault(self.copies[row][3], "wanted", i, asset, "is added", "one copy: the site keeps another")

    def is_forbidden(self, i: int, asset: int) -> bool:
        """May the appliance's site no longer store the asset?"""
        barred = self.catalog.excluded_sites.get(asset, ())
        return asset in self.unlicensed or self.topology.appliances[i].site_id in barred

    def _add(self, step: int, start: int, end: int, i: int, asset: int) -> None:
        pair = (self.site[i], asset)
        if (i, asset) in self.held:
            self._fault(step, "there", i, asset, "is added though it is there", "an asset that is not")
            return
        if pair not in self.wanted or self.is_forbidden(i, asset):
            self._fault(step, "wanted", i, asset, "is added", "an asset that the placement has and that may be stored")
        over = self.used[i] + self.size[asset] - self.storage[i]
        if over > 0:
            self._fault(step, "storage", i, asset, f"{over} bytes too many", f"at most {self.storage[i]}")
        waiting, self.waiting[i] = self.waiting[i], []
        self._must_start(waiting, i, start, "when the addition begins that needs the room")
        if waiting and over + waiting[-1][2] <= 0:
            self._fault(waiting[-1][0], "late", i, waiting[-1][1], "is removed already", "only as much as room needs")
        self._time_transfer(step, start, end, i, asset)
        self.begun[i] = True
        self._arrive(i, asset, end, step)
        self.used[i] += self.size[asset]

    def _time_transfer(self, step: int, start: int, end: int, i: int, asset: int) -> None:
        needed = needed_us(self.size[asset], self.topology.appliances[i].fill_bps)
        if end - start != needed:
            self._fault(step, "rate", i, asset, f"{end - start} microseconds", f"{needed} at the fill rate")
        if start != self.free_from[i]:
            self._fault(step, "in turn", i, asset, f"starts at {_time(start)}",
                        f"{_time(self.free_from[i])}, when the one before has ended")
        self.free_from[i] = max(self.free_from[i], end)
        self.busy_us[i] += end - start

    def _remove(self, step: int, start: int, end: int, i: int, asset: int, source: int) -> None:
        if end != start or source != -1:
            self._fault(step, "order", i, asset, f"a removal of {end - start} microseconds from source {source}",
                        "neither time nor source")
        if (i, asset) not in self.held or self.copies[self.held[i, asset]][2] > start:
            self._fault(step, "there", i, asset, "is removed though it is not there", "an asset that is")
            return
        overfull = self.used[i] > self.storage[i]
        pair, size = (self.site[i], asset), self.size[asset]
        if self.is_forbidden(i, asset):
            if self.begun[i]:
                self._fault(step, "forbidden", i, asset, "is removed after other steps", "first of all")
            self._must_start([(step, asset, size)], i, self.window[i][0], "as the window opens: it may not be stored")
        elif overfull:
            self.begun[i] = True
            self._must_start([(step, asset, size)], i, self.window[i][0], "as the window opens: storage is exceeded")
        else:
            self.begun[i] = True
            self.waiting[i].append((step, asset, size))
            if pair in self.wanted and self.at_site[pair] == 1:
                self._fault(step, "wanted", i, asset, "the only copy is removed", "an asset the placement has not")
        self.used[i] -= size
        copy = self.copies[self.held.pop((i, asset))]
        copy[4:] = [start, step]
        self.at_site[pair] -= 1

    def _arrive(self, i: int, asset: int, from_us: int, from_step: int) -> None:
        self.held[i, asset] = len(self.copies)
        self.copies.append([asset, self.site[i], from_us, from_step, LAST, LAST])
        pair = (self.site[i], asset)
        self.at_site[pair] = self.at_site.get(pair, 0) + 1

    def _must_start(self, removals: list[tuple[int, int, int]], i: int, moment: int, why: str) -> None:
        for step, asset, _ in removals:
            if self.plan.start_us[step] != moment:
                self._fault(step, "late", i, asset, f"is removed at {_time(int(self.plan.start_us[step]))}",
                            f"{_time(moment)}, {why}")

    def _fault(self, step: int, rule: str, i: int, asset: int, found: str, expected: str) -> None:
        where = f"{self.topology.appliances[i].id}/{self.catalog.asset_index.id_of(asset)}"
        self.faults.append(PlanFault(step + 1, rule, where, found, expected))


def _used_bytes(stored: StoredNow, size_bytes: np.ndarray, n: int) -> list[int]:
    used = np.zeros(n, dtype=np.int64)
    np.add.at(used, stored.appliance, size_bytes[stored.asset])
    return used.tolist()


def _time(us: int) -> str:
    return f"{np.datetime64(us, 'us')}Z"

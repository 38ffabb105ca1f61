"""What a fill plan came to: the steps, what did not fit tonight, what was kept, and what is stored afterwards."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.fill_plan import FillPlan, StoredNow

NO_STORAGE, NO_TIME, TOO_LARGE, EXCLUDED = range(4)
REASONS = ("no storage on any appliance", "fill window used up", "larger than any appliance", "may not be stored there")


@dataclass(frozen=True, eq=False)
class Deferred:
    """M pairs of the placement that the plan does not store tonight, most valuable per byte first.

    ``site``, ``asset`` (M,); ``reason`` (M,) position in ``REASONS``; ``saving`` (M,) delivery cost lost, each pair
    taken by itself with all others of the placement in place.
    """

    site: np.ndarray
    asset: np.ndarray
    reason: np.ndarray
    saving: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("site", np.int32), ("asset", np.int32), ("reason", np.int8), ("saving", np.float64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
            if getattr(self, name).shape != self.site.shape:
                raise ValueError(f"{name} differs in length")

    def __len__(self) -> int:
        return len(self.site)

    def counts(self) -> dict[str, int]:
        """Pairs by reason; reasons that do not occur are left out."""
        found = np.bincount(self.reason, minlength=len(REASONS))
        return {reason: int(count) for reason, count in zip(REASONS, found, strict=True) if count}


@dataclass(frozen=True, eq=False)
class FillResult:
    """``kept``: what the placement does not ask for but stays, because the additions that were to take its room did
    not fit. ``opening_us``, ``closing_us`` (number of appliances,): the fill windows used."""

    plan: FillPlan
    deferred: Deferred
    kept: StoredNow
    stored_after: StoredNow
    opening_us: np.ndarray
    closing_us: np.ndarray

    def __post_init__(self) -> None:
        for name in ("opening_us", "closing_us"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def complete(self) -> bool:
        """Is everything the placement asks for stored after the night?"""
        return len(self.deferred) == 0


@dataclass(frozen=True)
class ApplianceFill:
    """One appliance's night in numbers. ``start_us``, ``end_us``: first and last moment of its transfers, None where it
    has none. ``bytes_from``: bytes copied from each site (position; the origin is the last)."""

    appliance: int
    opening_us: int
    closing_us: int
    removals: int
    removed_bytes: int
    additions: int
    added_bytes: int
    start_us: int | None
    end_us: int | None
    kept: int
    kept_bytes: int
    stored_bytes: int
    bytes_from: dict[int, int]


def appliance_fills(result: FillResult, size_bytes: np.ndarray) -> list[ApplianceFill]:
    """One entry per appliance, in the topology's order. ``size_bytes`` (A,)."""
    plan, n = result.plan, len(result.opening_us)
    size = size_bytes[plan.asset]
    counts = [np.bincount(plan.appliance[plan.add == add], minlength=n) for add in (False, True)]
    moved = [_bytes(plan.appliance[plan.add == add], size[plan.add == add], n) for add in (False, True)]
    start, end = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(start, plan.appliance[plan.add], plan.start_us[plan.add])
    np.maximum.at(end, plan.appliance[plan.add], plan.end_us[plan.add])
    kept = np.bincount(result.kept.appliance, minlength=n)
    kept_bytes = _bytes(result.kept.appliance, size_bytes[result.kept.asset], n)
    stored = _bytes(result.stored_after.appliance, size_bytes[result.stored_after.asset], n)
    sources = _bytes_from(plan, size, n)
    return [
        ApplianceFill(
            i, int(result.opening_us[i]), int(result.closing_us[i]), int(counts[0][i]), int(moved[0][i]),
            int(counts[1][i]), int(moved[1][i]), int(start[i]) if counts[1][i] else None,
            int(end[i]) if counts[1][i] else None, int(kept[i]), int(kept_bytes[i]), int(stored[i]), sources[i])
        for i in range(n)
    ]


def _bytes(appliance: np.ndarray, size: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, appliance, size)
    return total


def _bytes_from(plan: FillPlan, size: np.ndarray, n: int) -> list[dict[int, int]]:
    width = int(plan.source.max(initial=0)) + 1
    keys = plan.appliance[plan.add].astype(np.int64) * width + plan.source[plan.add]
    pairs, where = np.unique(keys, return_inverse=True)
    table: list[dict[int, int]] = [{} for _ in range(n)]
    for pair, total in zip(pairs, _bytes(where, size[plan.add], len(pairs)), strict=True):
        table[pair // width][int(pair % width)] = int(total)
    return table

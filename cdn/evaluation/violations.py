"""Which limits and rules a placement breaks, and by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.model.placement import Placement, Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets

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


def over_limit(limit: str, names: np.ndarray, values: np.ndarray, allowed: np.ndarray) -> Iterator[Violation]:
    """Where a value is above what is allowed by more than ``RELATIVE_TOLERANCE``."""
    for k in np.flatnonzero(values > allowed * (1 + RELATIVE_TOLERANCE) + RELATIVE_TOLERANCE):
        yield Violation(limit, str(names[k]), float(values[k]), float(allowed[k]))


def broken_rules(problem: Problem, placement: Placement) -> Iterator[Violation]:
    """Pins that are not stored in full and exclusions that are stored."""
    held, levels = placement.stored, placement.levels
    asset = problem.pinned.asset
    for k in np.flatnonzero(levels_at(problem.pinned, held, levels) < 1 - SHARE_TOLERANCE):
        where = f"{problem.site_index.id_of(problem.pinned.site[k])}/{problem.asset_index.id_of(asset[k])}"
        yield Violation("pinned", where, 0, 1)
    asset = held.asset
    for k in np.flatnonzero(levels_at(held, problem.excluded, np.ones(len(problem.excluded)))):
        where = f"{problem.site_index.id_of(held.site[k])}/{problem.asset_index.id_of(asset[k])}"
        yield Violation("excluded", where, float(levels[k]), 0)


def broken_routing(
    problem: Problem, placement: Placement, routing: Routing, served_share: np.ndarray
) -> Iterator[Violation]:
    """Entries served more than whole, and shares from where the asset is not stored or that may not serve.
    ``served_share`` (N,) is the sum of each entry's shares."""
    demand = problem.demand

    def name(entry: np.integer) -> str:
        asset = np.searchsorted(demand.indptr, entry, side="right") - 1
        return f"{problem.asset_index.id_of(asset)}/{problem.region_index.id_of(demand.region[entry])}"

    for entry in np.flatnonzero(served_share > 1 + SHARE_TOLERANCE):
        yield Violation("serve_once", name(entry), float(served_share[entry]), 1)
    level = _levels_behind(
        demand.indptr, routing.entry, routing.site, placement.stored.indptr, placement.stored.site, placement.levels
    )
    for k in np.flatnonzero((routing.share > level + SHARE_TOLERANCE) | (routing.share < 0)):
        where = f"{problem.site_index.id_of(routing.site[k])}/{name(routing.entry[k])}"
        yield Violation("serve_stored", where, float(routing.share[k]), float(level[k]))
    served = np.isfinite(problem.cost_per_byte[routing.site, demand.region[routing.entry]])
    for k in np.flatnonzero(~(served & problem.servable[routing.entry])):
        where = f"{problem.site_index.id_of(routing.site[k])}/{name(routing.entry[k])}"
        yield Violation("may_serve", where, float(routing.share[k]), 0)


def levels_at(pairs: SiteAssets, held: SiteAssets, levels: np.ndarray) -> np.ndarray:
    """(P,) level of each of ``pairs`` in ``held`` with its ``levels``; 0 where it is not there."""
    return _levels_at(pairs.indptr, pairs.site, held.indptr, held.site, levels)


@kernel
def _levels_at(indptr, site, held_indptr, held_site, levels):
    found = np.zeros(len(site))
    for asset in range(len(indptr) - 1):
        there, end = held_indptr[asset], held_indptr[asset + 1]
        for k in range(indptr[asset], indptr[asset + 1]):
            while there < end and held_site[there] < site[k]:
                there += 1
            if there < end and held_site[there] == site[k]:
                found[k] = levels[there]
    return found


@kernel
def _levels_behind(indptr, entry, site, held_indptr, held_site, levels):
    """(M,) how much of its asset the site of each row of a routing stores. Rows mostly come by asset, so the asset is
    only looked for where it changes."""
    found = np.zeros(len(entry))
    asset = 0
    for k in range(len(entry)):
        if not indptr[asset] <= entry[k] < indptr[asset + 1]:
            asset = np.searchsorted(indptr, entry[k], side="right") - 1
        first, last = held_indptr[asset], held_indptr[asset + 1]
        there = first + np.searchsorted(held_site[first:last], site[k])
        if there < last and held_site[there] == site[k]:
            found[k] = levels[there]
    return found

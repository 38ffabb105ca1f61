"""What has to change: the difference between what the appliances hold and what their sites shall store.

Content stays where it is. Of several copies of an asset at one site one stays: on the appliance with the most room,
the largest assets choosing first. What is wanted but no longer fits its own appliance (content over the storage) makes
way, the least valuable first, and becomes an addition elsewhere at the site. Value is per byte; pinned assets come
before all others, and among equals the smaller asset, so that without demand the night fills as many assets as it can.
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.evaluation.routing import marginal_saving
from cdn.model.arrays import csr_indptr
from cdn.model.fill_plan import StoredNow
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets

STAYS, LEAVES, DISPLACED, FORBIDDEN = range(4)


@dataclass(frozen=True, eq=False)
class Additions:
    """M pairs to be added, by site and, within a site, most valuable per byte first; ``saving`` (M,) of each."""

    site: np.ndarray
    asset: np.ndarray
    saving: np.ndarray


@dataclass(frozen=True, eq=False)
class Difference:
    """``fate`` (P,) of each stored pair: it STAYS; LEAVES when room is needed or the night ends; is DISPLACED (wanted,
    but its appliance is over-full) or FORBIDDEN, which leave first of all. ``keep_rank`` (P,): the lowest leaves first.
    ``additions`` to be scheduled; ``barred`` pairs of the placement that may not be stored."""

    fate: np.ndarray
    keep_rank: np.ndarray
    additions: Additions
    barred: Additions


def find_difference(problem: Problem, stored_now: StoredNow, wanted: SiteAssets, site_of: np.ndarray,
                    storage_bytes: np.ndarray) -> Difference:
    """``site_of`` and ``storage_bytes`` (number of appliances,): site and storage of each."""
    n, size = problem.n_caches, problem.size_bytes
    saving = marginal_saving(problem, wanted)
    wanted_keys = wanted.keys(n)
    wanted_rank = _value_rank(problem, wanted, saving)
    here = SiteAssets.from_pairs(site_of[stored_now.appliance], stored_now.asset, wanted.n_assets)
    keys = stored_now.asset.astype(np.int64) * n + site_of[stored_now.appliance]
    fate = np.full(len(keys), LEAVES, dtype=np.int8)
    fate[_found(problem.excluded.keys(n), keys)] = FORBIDDEN
    asked_for = (fate == LEAVES) & _found(wanted_keys, keys)
    fate[asked_for] = STAYS
    _keep_one_copy(fate, keys, stored_now, size, storage_bytes)
    rank = np.zeros(len(keys), dtype=np.int64)
    rank[asked_for] = wanted_rank[np.searchsorted(wanted_keys, keys[asked_for])]
    _displace_overfull(fate, rank, stored_now, size, storage_bytes)

    missing = ~np.isin(wanted_keys, keys[fate == STAYS])
    barred = missing & _found(problem.excluded.keys(n), wanted_keys)
    by_site = np.lexsort((-wanted_rank, wanted.site))

    def pairs(mask: np.ndarray) -> Additions:
        chosen = by_site[mask[by_site]]
        return Additions(wanted.site[chosen], wanted.asset[chosen], saving[chosen])

    keep_rank = _keep_rank(problem, wanted.union(here), keys, fate, rank, asked_for)
    return Difference(fate, keep_rank, pairs(missing & ~barred), pairs(barred))


def _found(sorted_keys: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if not len(sorted_keys):
        return np.zeros(len(keys), dtype=bool)
    return sorted_keys[np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)] == keys


def _value_rank(problem: Problem, pairs: SiteAssets, saving: np.ndarray) -> np.ndarray:
    """(P,) 0 for the least valuable pair: not pinned, low saving per byte, large, late in the catalog."""
    size = problem.size_bytes[pairs.asset]
    pinned = problem.pinned.contains(pairs.site, pairs.asset, problem.n_caches)
    order = np.lexsort((-pairs.site, -pairs.asset, -size, saving / size, pinned))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _keep_rank(problem: Problem, everything: SiteAssets, keys: np.ndarray, fate: np.ndarray, rank: np.ndarray,
               asked_for: np.ndarray) -> np.ndarray:
    """Spare copies leave first, then by what each saves beside the placement and all else that is stored; wanted
    content that is displaced leaves last."""
    value = _value_rank(problem, everything, marginal_saving(problem, everything))
    keep = value[np.searchsorted(everything.keys(problem.n_caches), keys)] + len(everything)
    keep[asked_for & (fate == LEAVES)] -= len(everything)
    displaced = fate == DISPLACED
    keep[displaced] = rank[displaced] + 2 * len(everything)
    return keep


def _keep_one_copy(fate: np.ndarray, keys: np.ndarray, stored_now: StoredNow, size_bytes: np.ndarray,
                   storage_bytes: np.ndarray) -> None:
    """Of the copies that may stay, one per (site, asset) does."""
    may_stay = np.flatnonzero(fate == STAYS)
    _, group, copies = np.unique(keys[may_stay], return_inverse=True, return_counts=True)
    several = copies[group] > 1
    single = may_stay[~several]
    room = storage_bytes.astype(np.int64)
    np.subtract.at(room, stored_now.appliance[single], size_bytes[stored_now.asset[single]])
    spare, group = may_stay[several], group[several]
    if not len(spare):
        return
    order = np.lexsort((stored_now.appliance[spare], group, -size_bytes[stored_now.asset[spare]]))
    spare, group = spare[order], group[order]
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    size = size_bytes[stored_now.asset[spare]]
    chosen = _roomiest(np.append(begins, len(spare)), stored_now.appliance[spare], size, room)
    fate[spare] = LEAVES
    fate[spare[chosen]] = STAYS


@kernel
def _roomiest(begins, appliance, size, room):
    chosen = np.empty(len(begins) - 1, dtype=np.int64)
    for g in range(len(begins) - 1):
        best = begins[g]
        for k in range(begins[g] + 1, begins[g + 1]):
            if room[appliance[k]] > room[appliance[best]]:
                best = k
        chosen[g] = best
        room[appliance[best]] -= size[best]
    return chosen


def _displace_overfull(fate: np.ndarray, rank: np.ndarray, stored_now: StoredNow, size_bytes: np.ndarray,
                       storage_bytes: np.ndarray) -> None:
    """Where what stays is more than the appliance stores, only what fits stays, the most valuable first."""
    stays = np.flatnonzero(fate == STAYS)
    used = np.zeros(len(storage_bytes), dtype=np.int64)
    np.add.at(used, stored_now.appliance[stays], size_bytes[stored_now.asset[stays]])
    crowded = stays[used[stored_now.appliance[stays]] > storage_bytes[stored_now.appliance[stays]]]
    if not len(crowded):
        return
    crowded = crowded[np.lexsort((-rank[crowded], stored_now.appliance[crowded]))]
    indptr = csr_indptr(stored_now.appliance[crowded], len(storage_bytes))
    fits = _what_fits(indptr, size_bytes[stored_now.asset[crowded]], storage_bytes)
    fate[crowded[~fits]] = DISPLACED


@kernel
def _what_fits(indptr, size, storage):
    fits = np.zeros(len(size), dtype=np.bool_)
    for i in range(len(indptr) - 1):
        room = storage[i]
        for k in range(indptr[i], indptr[i + 1]):
            if size[k] <= room:
                fits[k] = True
                room -= size[k]
    return fits

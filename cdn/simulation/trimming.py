"""The most valuable part of a placement, for caches that keep the rest of their storage for a policy."""

import numpy as np

from cdn.compilation import kernel
from cdn.evaluation.routing import marginal_saving
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets


def trim_placement(problem: Problem, stored: SiteAssets, storage_share: float) -> SiteAssets:
    """The pairs of ``stored`` that fit into ``storage_share`` of each site's storage: the problem's pins first, then by
    the delivery cost of the problem's demand that each saves per byte; one that does not fit is passed over.

    What a pair saves is counted with all others still there. A placement planned for the smaller storage is better
    where there is time to plan one. Raises ValueError where a site's pins alone do not fit.
    """
    pinned = problem.pinned.contains(stored.site, stored.asset, problem.n_caches)
    size = problem.size_bytes[stored.asset]
    room = problem.storage_bytes * storage_share
    pinned_bytes = np.bincount(stored.site[pinned], weights=size[pinned], minlength=problem.n_caches)
    for s in np.flatnonzero(pinned_bytes > room).tolist():
        raise ValueError(f"site {problem.site_index.id_of(s)!r} is pinned {pinned_bytes[s]:.0f} bytes, more than the "
                         f"{room[s]:.0f} that {storage_share:g} of its storage hold")
    saving_per_byte = np.where(pinned, np.inf, marginal_saving(problem, stored) / size)
    order = np.lexsort((stored.site, stored.asset, -saving_per_byte))
    kept = order[_fitting(stored.site[order], size[order], room)]
    return SiteAssets.from_pairs(stored.site[kept], stored.asset[kept], stored.n_assets)


@kernel
def _fitting(site, size_bytes, room):
    """Which pairs fit, taken in their order; uses up ``room``."""
    fits = np.zeros(len(site), dtype=np.bool_)
    for k in range(len(site)):
        if size_bytes[k] <= room[site[k]]:
            room[site[k]] -= size_bytes[k]
            fits[k] = True
    return fits

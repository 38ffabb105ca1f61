"""The changes a scenario is made of. Each takes a problem and gives a new one; nothing is written into an input."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from cdn.errors import UnknownNameError
from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.units import BYTES_PER_GB


def lose_site(problem: Problem, site: str) -> Problem:
    """The site serves nobody and stores nothing; its pins lapse. Paths through its location stay."""
    lost = _position(problem.site_index, site, "site")
    if lost == problem.n_caches:
        raise ValueError("the origin cannot be lost: demand may always go to it")
    cost, limits = problem.cost_per_byte.copy(), {}
    cost[lost] = np.inf
    for name in ("storage_bytes", "egress_bps", "fill_bytes"):
        limits[name] = getattr(problem, name).copy()
        limits[name][lost] = 0.0
    kept = {name: _without_site(getattr(problem, name), lost) for name in ("stored", "pinned")}
    return problem.replace(cost_per_byte=cost, **limits, **kept)


def scale_storage(problem: Problem, factor: float, sites: Sequence[str] | None = None) -> Problem:
    """Storage times a factor, at the given sites or everywhere."""
    scaled = _chosen(problem.site_index, sites, "site")[:-1]
    return problem.replace(
        storage_bytes=np.where(scaled, np.floor(problem.storage_bytes * factor), problem.storage_bytes)
    )


def scale_demand(problem: Problem, factor: float, regions: Sequence[str] | None = None) -> Problem:
    """Requests, bytes and peaks times a factor, in the given regions or everywhere."""
    demand = problem.demand
    times = np.where(_chosen(problem.region_index, regions, "region")[demand.region], factor, 1.0)
    values = {name: getattr(demand, name) for name in ("requests", "bytes", "peak_bps", "bytes_p10", "bytes_p90")}
    scaled = {name: value * times for name, value in values.items() if value is not None}
    return problem.replace(demand=replace(demand, **scaled))


def launch(
    problem: Problem, asset: str, size_gb: float, requests: float, regions: Sequence[str] | None = None
) -> Problem:
    """A new asset, asked for ``requests`` times a day in whole, spread over the regions like their demand today. The
    demand's quantiles are dropped: nothing is known of the new asset's."""
    if asset in problem.asset_index:
        raise ValueError(f"asset {asset!r} is in the catalog already")
    demand, n_regions = problem.demand, len(problem.region_index)
    weight = np.bincount(demand.region, weights=demand.bytes, minlength=n_regions)
    peak = np.bincount(demand.region, weights=demand.peak_bps, minlength=n_regions)
    weight = np.where(_chosen(problem.region_index, regions, "region"), weight if weight.sum() else 1.0, 0.0)
    if weight.sum() <= 0:
        raise ValueError("none of the launch's regions has any demand to take its share from")
    where = np.flatnonzero(weight)
    asked = requests * weight[where] / weight.sum()
    size_bytes = round(size_gb * BYTES_PER_GB)
    rate = np.divide(peak[where], weight[where], out=np.full(len(where), 8 / 86400), where=peak[where] > 0)
    index = Index([*problem.asset_index, asset])
    grown = Demand(
        problem.region_index,
        index,
        np.append(demand.indptr, len(demand) + len(where)),
        np.concatenate([demand.region, where]),
        np.concatenate([demand.requests, asked]),
        np.concatenate([demand.bytes, asked * size_bytes]),
        np.concatenate([demand.peak_bps, asked * size_bytes * rate]),
        demand.hour_factor,
    )
    sets = {name: _with_one_more_asset(getattr(problem, name)) for name in ("stored", "pinned", "excluded")}
    return problem.replace(
        asset_index=index,
        size_bytes=np.append(problem.size_bytes, size_bytes),
        demand=grown,
        servable=np.append(problem.servable, np.ones(len(where), dtype=bool)),
        **sets,
    )


CHANGES: dict[str, Callable[..., Problem]] = {
    "launch": launch,
    "lose_site": lose_site,
    "scale_demand": scale_demand,
    "scale_storage": scale_storage,
}


def _position(index: Index, id_: str, kind: str) -> int:
    if id_ not in index:
        raise UnknownNameError(kind, id_, list(index))
    return index.position_of(id_)


def _chosen(index: Index, ids: Sequence[str] | None, kind: str) -> np.ndarray:
    """(n,) bool: all where no ids are given."""
    if ids is None:
        return np.ones(len(index), dtype=bool)
    chosen = np.zeros(len(index), dtype=bool)
    chosen[[_position(index, id_, kind) for id_ in ids]] = True
    return chosen


def _without_site(pairs: SiteAssets, site: int) -> SiteAssets:
    kept = pairs.site != site
    return SiteAssets.from_pairs(pairs.site[kept], pairs.asset[kept], pairs.n_assets)


def _with_one_more_asset(pairs: SiteAssets) -> SiteAssets:
    return SiteAssets(np.append(pairs.indptr, pairs.indptr[-1]), pairs.site)

"""The replay: who served each request of a log.

Every cache keeps a share ``q`` of its storage for an eviction policy (its reactive part); the rest holds what a
placement pins there. A request of region r for asset a

1. goes to the origin at once where the catalog does not allow caches to serve a to r;
2. otherwise has a pinned server: the cheapest cache that pins a and may serve r, else the origin;
3. passes the reactive parts on r's path (its cheapest edge, then its cheapest mid: ``reactive_paths``) that are
   cheaper than a pinned server at a cache, or no dearer than the origin, and where a is not excluded. The first that
   holds a serves; every one that was passed in vain takes a copy (leave copy everywhere: Laoutaris, Che, Stavrakakis,
   "The LCD interconnection of LRU caches and its analysis", 2006);
4. is served by its pinned server where none of them held a.

Both ends are ordinary: q = 0 is the pure placement (the routing that ``cdn.evaluation`` judges), q = 1 a pure reactive
network. Because a hit below only thins out the requests above, and paths climb edge, mid, origin, each cache can be
simulated alone on its own stream, edges first, then the mids on what the edges left, in the order of time. That is
exact, not an approximation: copies arrive at once, so nothing above changes what happens below.

Storage counts the catalog's sizes; served bytes are the requests' own.
"""

from dataclasses import dataclass

import numpy as np

from cdn.caching import simulate_cache
from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog
from cdn.model.problem import Problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology
from cdn.simulation.paths import NO_SITE, allowed_in_caches, pinned_servers, reactive_paths

STORAGE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Replay:
    """``served_by`` (N,) int32: the site that served each request of the log; the origin is site S."""

    served_by: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "served_by", frozen(self.served_by, np.int32))

    def __len__(self) -> int:
        return len(self.served_by)


def replay(problem: Problem, topology: Topology, catalog: Catalog, log: RequestLog, *, pinned: SiteAssets | None = None,
           policy: str | None = None, reactive_share: float | None = None, warm_up: RequestLog | None = None) -> Replay:
    """Replays ``log`` through the network (its demand is not looked at).

    ``pinned``: what the placement stores, within ``1 - reactive_share`` of each cache's storage. ``policy``: a name in
    ``cdn.caching.POLICIES``; without one nothing is reactive. ``reactive_share``: 1 by default where there is a
    policy. ``warm_up``: an earlier log that runs through the reactive parts first and is not counted.

    Raises UnknownNameError for an unknown policy; ValueError where pins and reactive share need more storage than
    there is, the warm-up ends after the log begins, or the inputs do not belong together.
    """
    share = _checked_share(policy, reactive_share)
    pinned = SiteAssets.empty(len(catalog)) if pinned is None else pinned
    capacity_bytes = _reactive_bytes(problem, pinned, share)
    region, asset, n_warm_up = _requests(problem, log, warm_up)
    allowed = allowed_in_caches(catalog, problem.region_index, region, asset)
    server = np.where(allowed, pinned_servers(problem, pinned, region, asset), np.int32(problem.n_caches))
    if policy is None:
        return Replay(server[n_warm_up:])
    # A reactive part as dear as the origin is still passed, one as dear as a pinned copy is not.
    limit = np.where(server < problem.n_caches, problem.cost_per_byte[server, region], np.inf)
    waiting = allowed
    for site_of_region in reactive_paths(problem, topology):
        site = np.where(waiting, site_of_region[region], NO_SITE)
        site[(site != NO_SITE) & ~(problem.cost_per_byte[site, region] < limit)] = NO_SITE
        _skip_excluded(problem, site, asset)
        hit = _hits(problem, site, asset, policy, capacity_bytes)
        server[hit] = site[hit]
        waiting = waiting & ~hit
    return Replay(server[n_warm_up:])


def _checked_share(policy: str | None, reactive_share: float | None) -> float:
    share = float(policy is not None) if reactive_share is None else reactive_share
    if not 0 <= share <= 1:
        raise ValueError(f"reactive_share must be in 0..1, not {share}")
    if policy is None and share:
        raise ValueError("a reactive share needs a policy")
    return share


def _reactive_bytes(problem: Problem, pinned: SiteAssets, share: float) -> np.ndarray:
    """(S,) storage of the reactive parts. Raises ValueError where more is pinned than they leave."""
    room = problem.storage_bytes * (1 - share)
    held = pinned.bytes_per_site(problem.size_bytes, problem.n_caches)
    for s in np.flatnonzero(held > room + STORAGE_TOLERANCE * problem.storage_bytes).tolist():
        raise ValueError(f"site {problem.site_index.id_of(s)!r} pins {held[s]:.0f} bytes, but {room[s]:.0f} are left "
                         f"beside a reactive share of {share:g}")
    return np.floor(problem.storage_bytes * share)


def _requests(problem: Problem, log: RequestLog, warm_up: RequestLog | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Region and asset of the warm-up's requests and then the log's, and how many are the warm-up's."""
    logs = [log] if warm_up is None else [warm_up, log]
    for part in logs:
        if part.region_index != problem.region_index or part.asset_index != problem.asset_index:
            raise ValueError("the log's regions and assets are not the problem's")
    if warm_up is not None and len(warm_up) and len(log) and warm_up.time_us[-1] > log.time_us[0]:
        raise ValueError("the warm-up ends after the log begins")
    region, asset = (np.concatenate([getattr(part, name) for part in logs]) for name in ("region", "asset"))
    return region, asset, len(region) - len(log)


def _skip_excluded(problem: Problem, site: np.ndarray, asset: np.ndarray) -> None:
    """A cache takes no copy of what is excluded from it (rights, licences): the request passes by."""
    if len(problem.excluded):
        at_cache = np.flatnonzero(site != NO_SITE)
        excluded = problem.excluded.contains(site[at_cache], asset[at_cache], problem.n_caches)
        site[at_cache[excluded]] = NO_SITE


def _hits(problem: Problem, site: np.ndarray, asset: np.ndarray, policy: str, capacity_bytes: np.ndarray) -> np.ndarray:
    """(N,) bool: requests served by the reactive part of ``site`` (N,), each cache on its own stream."""
    hit = np.zeros(len(site), dtype=bool)
    # In the narrowest integer: numpy sorts 8 and 16 bits by radix, in a fifth of the time.
    order = np.argsort(site.astype(np.min_scalar_type(-problem.n_caches - 1)), kind="stable")
    ends = np.searchsorted(site[order], np.arange(problem.n_caches + 1))
    for s in range(problem.n_caches):
        stream = order[ends[s]:ends[s + 1]]
        if len(stream):
            hit[stream] = simulate_cache(policy, asset[stream], problem.size_bytes, capacity_bytes[s])
    return hit

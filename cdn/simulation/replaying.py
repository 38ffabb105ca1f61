"""The replay: who served each request of a log, and why the origin had to.

Every cache keeps a share ``q`` of its storage for an eviction policy (its reactive part); the rest holds what a
placement pins there. A request of region r for asset a

1. goes to the origin at once where the catalog does not allow caches to serve a to r;
2. otherwise has a pinned server: the cheapest cache that pins a and may serve r, else the origin;
3. passes the reactive parts on r's path (its cheapest edge, then its cheapest mid: ``reactive_paths``) that are
   cheaper than a pinned server at a cache, or no dearer than the origin, and where a is not excluded. The first that
   holds a serves; of those that were passed in vain the copy rule says which take a copy (``cdn.simulation.copying``);
4. is served by its pinned server where none of them held a;
5. goes on to the next that holds a, pinned or on the path, where egress limits bind and the one it came to has not the
   bytes left in that hour (``cdn.simulation.egress``).

Both ends are ordinary: q = 0 is the pure placement (the routing that ``cdn.evaluation`` judges), q = 1 a pure reactive
network. Storage counts the catalog's sizes; served bytes are the requests' own.
"""

from dataclasses import dataclass

import numpy as np

from cdn.caching import choose_admission, choose_policy
from cdn.caching.loops import is_guarded
from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog
from cdn.model.problem import Problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology
from cdn.simulation.classes import classify, serve_pinned
from cdn.simulation.copying import DEFAULT_COPY_RULE, copy_table
from cdn.simulation.egress import full_budgets
from cdn.simulation.gates import open_gates
from cdn.simulation.paths import reactive_paths
from cdn.simulation.routes import Routes, build_routes, route_requests
from cdn.simulation.stations import Requests, open_caches, stations_of
from cdn.simulation.walking import walk_of, walk_pins

STORAGE_TOLERANCE = 1e-9
N_LEVELS = 2


@dataclass(frozen=True, eq=False)
class Replay:
    """``served_by`` (N,) int32: the site that served each request of the log; the origin is site S. ``request_class``
    (N,) int8: position in ``REQUEST_CLASSES``, what became of it."""

    served_by: np.ndarray
    request_class: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "served_by", frozen(self.served_by, np.int32))
        object.__setattr__(self, "request_class", frozen(self.request_class, np.int8))
        if len(self.served_by) != len(self.request_class):
            raise ValueError("served_by and request_class differ in length")

    def __len__(self) -> int:
        return len(self.served_by)


def replay(problem: Problem, topology: Topology, catalog: Catalog, log: RequestLog, *, pinned: SiteAssets | None = None,
           policy: str | None = None, reactive_share: float | None = None, admission: str = "none",
           ttl_s: float | None = None, copy: str = DEFAULT_COPY_RULE, egress_limits: bool = False,
           true_placement: SiteAssets | None = None, warm_up: RequestLog | None = None) -> Replay:
    """Replays ``log`` through the network (its demand is not looked at).

    ``pinned``: what the placement stores, within ``1 - reactive_share`` of each cache's storage. ``policy``: as in
    ``cdn.caching.open_cache``; without one nothing is reactive. ``reactive_share``: 1 by default where there is a
    policy. ``admission``, ``ttl_s``: as in ``open_cache``, of each reactive part; the gate is asked where the copy rule
    wants a copy. ``copy``: a name in ``COPY_RULES``. ``egress_limits``: whether caches refuse what exceeds their hour's
    egress. ``true_placement``: made with the true demand: splits a placement's misses into forecast and capacity.
    ``warm_up``: an earlier log that runs through the caches first and is not counted.

    Raises UnknownNameError for an unknown policy, admission, parameter or copy rule, ParameterError for a parameter out
    of range; ValueError where pins and reactive share need more storage than there is, a time to live is negative, the
    warm-up ends after the log begins, or the inputs do not belong together.
    """
    share = _checked_share(policy, reactive_share)
    copies = copy_table(copy, N_LEVELS)
    true_placement = None if pinned is None else true_placement
    pinned = SiteAssets.empty(len(catalog)) if pinned is None else pinned
    capacity_bytes = _reactive_bytes(problem, pinned, share)
    logs = _checked_logs(problem, log, warm_up)
    routes, egress = build_routes(problem, catalog, pinned, true_placement), full_budgets(problem, egress_limits)
    seen = np.zeros(len(catalog), dtype=bool)
    if policy is None and not egress_limits:
        return _replay_pins(routes, log, warm_up, seen)
    time_us, region, asset, bytes_ = (_joined(logs, name) for name in ("time_us", "region", "asset", "bytes"))
    requests = Requests(time_us, region, asset, bytes_, route_requests(routes, region, asset))
    served_by, request_class = np.empty(len(asset), dtype=np.int32), np.empty(len(asset), dtype=np.int8)
    refused = np.zeros(len(asset), dtype=bool)
    if policy is None:
        walk_pins(routes, egress, requests, served_by, refused)
    else:
        path = reactive_paths(problem, topology)
        stations = stations_of(routes, path, requests, egress_limits)
        chosen, gate = choose_policy(policy), choose_admission(admission)
        caches = open_caches(chosen, capacity_bytes, problem.size_bytes, path, stations, asset)
        gates = open_gates(gate, ttl_s, capacity_bytes, len(caches.objects))
        passed = np.zeros((N_LEVELS, 2), dtype=np.int64)
        walk = walk_of(chosen.of.name, gate.of if is_guarded(gate.of, ttl_s) else None)
        walk(caches, gates, routes, egress, copies, requests, passed, served_by, refused)
    classify(requests.route, asset, problem.n_caches, seen, served_by, refused, request_class)
    n_warm_up = len(asset) - len(log)
    return Replay(served_by[n_warm_up:], request_class[n_warm_up:])


def _replay_pins(routes: Routes, log: RequestLog, warm_up: RequestLog | None, seen: np.ndarray) -> Replay:
    """Pins that never refuse: a request is one lookup, and the warm-up only says which assets are not new."""
    if warm_up is not None:
        seen[warm_up.asset] = True
    served_by, request_class = np.empty(len(log), dtype=np.int32), np.empty(len(log), dtype=np.int8)
    route = route_requests(routes, log.region, log.asset)
    serve_pinned(route, log.asset, len(routes.cost) - 1, seen, served_by, request_class)
    for array in (served_by, request_class):
        array.flags.writeable = False  # so that the replay keeps these and makes no copies
    return Replay(served_by, request_class)


def _joined(logs: list[RequestLog], column: str) -> np.ndarray:
    """A column of both logs; of one alone its own, as a copy of 20 M requests costs a tenth of their replay."""
    parts = [getattr(log, column) for log in logs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _checked_share(policy: str | None, reactive_share: float | None) -> float:
    share = float(policy is not None) if reactive_share is None else reactive_share
    if not 0 <= share <= 1:
        raise ValueError(f"reactive_share must be in 0..1, not {share}")
    if policy is not None:
        choose_policy(policy)
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


def _checked_logs(problem: Problem, log: RequestLog, warm_up: RequestLog | None) -> list[RequestLog]:
    """The warm-up and the log."""
    logs = [log] if warm_up is None else [warm_up, log]
    for part in logs:
        if part.region_index != problem.region_index or part.asset_index != problem.asset_index:
            raise ValueError("the log's regions and assets are not the problem's")
    if warm_up is not None and len(warm_up) and len(log) and warm_up.time_us[-1] > log.time_us[0]:
        raise ValueError("the warm-up ends after the log begins")
    return logs

"""The reactive parts that requests come to, and what these parts are made of.

The states of all caches lie in four arrays, cache by cache. A cache knows an asset by its number there, given by first
appearance among the requests that may come to it, as ``simulate_cache`` does: a cache's memory grows with what its
regions ask for, not with the catalog.
"""

from typing import NamedTuple

import numpy as np

from cdn.caching.cache import global_next_uses
from cdn.caching.next_uses import next_uses
from cdn.caching.parameters import Choice
from cdn.caching.policy import Policy
from cdn.caching.prefetching import prefetch
from cdn.compilation import kernel, step
from cdn.simulation.classes import FORBIDDEN
from cdn.simulation.paths import NO_SITE
from cdn.simulation.routes import Routes, has_bit

AHEAD = 16


class Requests(NamedTuple):
    """``time_us``, ``region``, ``asset``, ``bytes``, ``route`` (N,), in the order of time."""

    time_us: np.ndarray
    region: np.ndarray
    asset: np.ndarray
    bytes: np.ndarray
    route: np.ndarray


class Caches(NamedTuple):
    """The reactive parts: states one behind the other with where each begins (S + 1,), scalars (S, ...).

    ``path`` (levels, R) as in ``reactive_paths``. ``numbers`` (levels, N) int32: what the request's asset is called by
    the cache of that level, ``NO_SITE`` where the request passes it by. ``next_uses`` (levels, N) or (levels, 0)."""

    objects: np.ndarray
    cells: np.ndarray
    ints: np.ndarray
    floats: np.ndarray
    first_object: np.ndarray
    first_cell: np.ndarray
    path: np.ndarray
    numbers: np.ndarray
    next_uses: np.ndarray


def stations_of(routes: Routes, path: np.ndarray, requests: Requests, egress_limits: bool) -> np.ndarray:
    """(levels, N) int32: the cache whose reactive part each request may come to, ``NO_SITE`` for none.

    A cache takes no copy of what is excluded from it (rights, licences): the request passes by. Where nothing is
    refused, a request does not go beyond its pinned server."""
    stations = np.empty((len(path), len(requests.asset)), dtype=np.int32)
    _find_stations(routes, path, requests, egress_limits, stations)
    return stations


def open_caches(chosen: Choice[Policy], capacity_bytes: np.ndarray, size_bytes: np.ndarray, path: np.ndarray,
                stations: np.ndarray, asset: np.ndarray) -> Caches:
    """Empty caches of a policy with room for what may come to them. ``stations`` becomes the numbers.

    A policy that looks ahead sees the next request that may come to its cache, whether or not one below serves it."""
    policy = chosen.of
    following = np.zeros((len(stations), stations.shape[1] * policy.looks_ahead), dtype=np.int64)
    sizes = [np.zeros(0, dtype=np.int64)] * len(capacity_bytes)
    for level, station in enumerate(stations):
        order, first, members, first_member = _number(station, asset, len(sizes), len(size_bytes))
        for s in np.flatnonzero(np.diff(first)).tolist():
            sizes[s] = size_bytes[members[first_member[s] : first_member[s + 1]]]
            if policy.looks_ahead:
                stream = order[first[s] : first[s + 1]]
                following[level, stream] = global_next_uses(next_uses(station[stream], len(sizes[s])))
    return Caches(**_stacked(chosen, capacity_bytes, sizes), path=path, numbers=stations, next_uses=following)


def _stacked(chosen: Choice[Policy], capacity_bytes: np.ndarray, size_bytes: list[np.ndarray]) -> dict[str, np.ndarray]:
    policy = chosen.of
    scalars = [policy.empty_state(int(capacity), 0, **chosen.parameters)[2:] for capacity in capacity_bytes]
    ints, floats = (np.stack(part) for part in zip(*scalars, strict=True))
    n_objects = [len(sizes) for sizes in size_bytes]
    first_object, first_cell = (np.cumsum([0, *lengths]) for lengths in (n_objects, map(policy.n_cells, n_objects)))
    objects = np.full(first_object[-1], policy.blank, dtype=policy.blank.dtype)
    objects["size_bytes"] = np.concatenate(size_bytes)
    return {"objects": objects, "cells": np.zeros(first_cell[-1], dtype=policy.cell), "ints": ints, "floats": floats,
            "first_object": first_object, "first_cell": first_cell}


@step
def _find_stations(routes, path, requests, egress_limits, stations):
    _, region, asset, _, route = requests
    cost = routes.cost
    origin, last = len(cost) - 1, len(asset) - 1
    for k in range(len(asset)):
        prefetch(routes.excluded[asset[min(k + AHEAD, last)]], 0)
        r, code = region[k], np.int64(route[k])
        for level in range(len(path)):
            s = path[level, r]
            passes = s == NO_SITE or code == origin + FORBIDDEN or has_bit(routes.excluded, asset[k], s)
            if not passes and not egress_limits and code < origin:
                passes = cost[s, r] >= cost[code, r]
            stations[level, k] = NO_SITE if passes else s


@kernel
def _number(station, asset, n_caches, n_assets):
    """The requests of each cache, in order, and where its part begins; the assets by their numbers, and where each
    cache's begin. In ``station`` (N,) an asset's number takes the cache's place."""
    first = np.zeros(n_caches + 1, dtype=np.int64)
    for k in range(len(station)):
        first[station[k] + 1] += station[k] != NO_SITE
    first[0] = 0
    for s in range(n_caches):
        first[s + 1] += first[s]
    at = first.copy()
    order, wanted = np.empty(first[-1], dtype=np.int32), np.empty(first[-1], dtype=np.int32)
    for k in range(len(station)):
        if station[k] != NO_SITE:
            order[at[station[k]]], wanted[at[station[k]]] = k, asset[k]
            at[station[k]] += 1
    label = np.full(n_assets, -1, dtype=np.int32)
    members = np.empty(first[-1], dtype=np.int32)
    first_member = np.zeros(n_caches + 1, dtype=np.int64)
    for s in range(n_caches):
        n = first_member[s]
        for j in range(first[s], first[s + 1]):
            prefetch(label, wanted[min(j + AHEAD, first[s + 1] - 1)])
            a = wanted[j]
            if label[a] < 0:
                label[a] = n - first_member[s]
                members[n] = a
                n += 1
            station[order[j]] = label[a]
        for a in members[first_member[s] : n]:
            label[a] = -1
        first_member[s + 1] = n
    return order, first, members, first_member

"""A request's way through the network, one request after the other in one compiled loop.

On its way a request comes to the reactive parts on its region's path and to the caches that pin its asset, cheapest
first; of equal costs the pin first. The first that holds the asset and has egress left serves; a holder without egress
refuses, and the request goes on; the origin refuses nothing. Then the copy rule says which of the reactive parts that
did not hold the asset store it now. A copy arrives at once, and its bytes are no egress.

The states of all caches lie in four arrays, cache by cache; a cache knows an asset by its number there (``numbers``),
given by first appearance, as ``simulate_cache`` does.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cdn.caching import POLICIES
from cdn.caching.cache import global_next_uses
from cdn.caching.loops import bound
from cdn.caching.next_uses import next_uses
from cdn.caching.policies import relabel
from cdn.caching.policy import Policy
from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.simulation.egress import take
from cdn.simulation.paths import NO_SITE
from cdn.simulation.routes import cheapest_holder

AHEAD = 12
# Bound to those of a policy when a loop is made.
lookup: Any = None
insert: Any = None
LOOKS_AHEAD = False


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


def open_caches(policy: Policy, capacity_bytes: np.ndarray, size_bytes: np.ndarray, path: np.ndarray,
                stations: np.ndarray, asset: np.ndarray) -> Caches:
    """Empty caches with room for what may come to them. ``stations`` (levels, N): the cache each request comes to.

    A policy that looks ahead sees the next request that may come to its cache, whether or not one below serves it."""
    n_caches = len(capacity_bytes)
    numbers = np.full(stations.shape, NO_SITE, dtype=np.int32)
    following = np.zeros((len(stations), stations.shape[1] * policy.looks_ahead), dtype=np.int64)
    members = [np.zeros(0, dtype=np.int32)] * n_caches
    for level, station in enumerate(stations):
        # In the narrowest integer: numpy sorts 8 and 16 bits by radix, in a fifth of the time.
        order = np.argsort(station.astype(np.min_scalar_type(-n_caches - 1)), kind="stable")
        ends = np.searchsorted(station[order], np.arange(n_caches + 1))
        for s in np.flatnonzero(np.diff(ends)).tolist():
            stream = order[ends[s] : ends[s + 1]]
            ids, members[s] = relabel(asset[stream], len(size_bytes))
            numbers[level, stream] = ids
            if policy.looks_ahead:
                following[level, stream] = global_next_uses(next_uses(ids, len(members[s])))
    sizes = [size_bytes[those] for those in members]
    return Caches(**_stacked(policy, capacity_bytes, sizes), path=path, numbers=numbers, next_uses=following)


def _stacked(policy: Policy, capacity_bytes: np.ndarray, size_bytes: list[np.ndarray]) -> dict[str, np.ndarray]:
    states = [policy.empty_state(int(capacity), len(sizes))
              for capacity, sizes in zip(capacity_bytes, size_bytes, strict=True)]
    objects, cells = (np.concatenate([state[part] for state in states]) for part in (0, 1))
    objects["size_bytes"] = np.concatenate(size_bytes)
    ints, floats = (np.stack([state[part] for state in states]) for part in (2, 3))
    first_object, first_cell = (np.cumsum([0] + [len(state[part]) for state in states]) for part in (0, 1))
    return {"objects": objects, "cells": cells, "ints": ints, "floats": floats, "first_object": first_object,
            "first_cell": first_cell}


def walk(caches, routes, egress, copies, requests, passed, served_by, refused):
    """``copies`` (levels, 2) as in ``copy_table``; ``passed`` (levels, 2) int64 is room to work in."""
    time_us, region, asset, bytes_, route = requests
    cost, path, numbers = routes.cost, caches.path, caches.numbers
    origin, n_levels, last = len(cost) - 1, len(path), len(asset) - 1
    for k in range(len(asset)):
        ahead = min(k + AHEAD, last)
        for level in range(n_levels):
            if numbers[level, ahead] >= 0:
                first = caches.first_object[path[level, region[ahead]]]
                prefetch(caches.objects, first + numbers[level, ahead])
        r = region[k]
        pin = np.int64(min(route[k], origin))
        level = position = n_passed = 0
        while True:
            while level < n_levels and numbers[level, k] < 0:
                level += 1
            s = np.int64(path[level, r]) if level < n_levels else origin
            if pin < origin and (s == origin or cost[pin, r] <= cost[s, r]):
                if take(egress, pin, bytes_[k], time_us[k]):
                    s = pin
                    break
                refused[k] = True
                pin = np.int64(cheapest_holder(routes, routes.pinned_indptr, routes.pinned_site, r, asset[k],
                                               cost[pin, r], pin))
            elif s == origin:
                break
            else:
                next_use = caches.next_uses[level, k] if LOOKS_AHEAD else 0
                if lookup(state_of(caches, s), numbers[level, k], next_use):
                    if take(egress, s, bytes_[k], time_us[k]):
                        break
                    refused[k] = True
                else:
                    passed[n_passed, 0], passed[n_passed, 1] = level, position
                    n_passed += 1
                level += 1
                position += 1
        served_by[k] = s
        for n in range(n_passed):
            if copies[passed[n, 1], int(n == n_passed - 1)]:
                level = passed[n, 0]
                next_use = caches.next_uses[level, k] if LOOKS_AHEAD else 0
                insert(state_of(caches, path[level, r]), numbers[level, k], next_use)


@step
def state_of(caches, s):
    first, first_cell = caches.first_object, caches.first_cell
    return (caches.objects[first[s] : first[s + 1]], caches.cells[first_cell[s] : first_cell[s + 1]], caches.ints[s],
            caches.floats[s])


@step
def walk_pins(routes, egress, requests, served_by, refused):
    """``walk`` where nothing is reactive: only egress may send a request on."""
    time_us, region, asset, bytes_, route = requests
    cost = routes.cost
    origin = len(cost) - 1
    for k in range(len(asset)):
        s = np.int64(min(route[k], origin))
        while s < origin and not take(egress, s, bytes_[k], time_us[k]):
            refused[k] = True
            s = np.int64(cheapest_holder(routes, routes.pinned_indptr, routes.pinned_site, region[k], asset[k],
                                         cost[s, region[k]], s))
        served_by[k] = s


@cache
def walk_of(policy_name: str) -> Any:
    """``walk`` for a policy."""
    policy = POLICIES[policy_name]
    return step(bound(walk, policy.name, policy, Path(__file__)))

"""A request's way through the network, one request after the other in one compiled loop.

On its way a request comes to the reactive parts on its region's path and to the caches that pin its asset, cheapest
first; of equal costs the pin first. The first that holds the asset and has egress left serves; a holder without egress
refuses, and the request goes on; the origin refuses nothing. Then the copy rule says which of the reactive parts that
did not hold the asset store it now, if its gate admits it. A copy arrives at once, and its bytes are no egress.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cdn.caching import POLICIES
from cdn.caching.admission import Admission
from cdn.caching.loops import NEVER, bound
from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.simulation.egress import take
from cdn.simulation.gates import gate_of
from cdn.simulation.routes import next_holder

AHEAD = 12
# Bound to those of a policy when a loop is made.
lookup: Any = None
insert: Any = None
remove: Any = None
admit: Any = None
observe: Any = None
LOOKS_AHEAD = GUARDED = False


def walk(caches, gates, routes, egress, copies, requests, passed, served_by, refused):
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
                pin = next_holder(routes, r, asset[k], pin)
            elif s == origin:
                break
            else:
                next_use = caches.next_uses[level, k] if LOOKS_AHEAD else 0
                number, first = numbers[level, k], caches.first_object[s]
                if GUARDED and gates.expires_us[first + number] < time_us[k]:
                    remove(state_of(caches, s), number)
                    gates.expires_us[first + number] = NEVER
                found = lookup(state_of(caches, s), number, next_use)
                if GUARDED:
                    gate = gate_of(gates, first, caches.first_object[s + 1], s)
                    observe(gate, number, caches.objects[first + number].size_bytes)
                if found:
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
                s, number = np.int64(path[level, r]), numbers[level, k]
                next_use = caches.next_uses[level, k] if LOOKS_AHEAD else 0
                if GUARDED:
                    first = caches.first_object[s]
                    gate = gate_of(gates, first, caches.first_object[s + 1], s)
                    if not admit(gate, number, caches.objects[first + number].size_bytes):
                        continue
                    if insert(state_of(caches, s), number, next_use):
                        gates.expires_us[first + number] = time_us[k] + gates.ttl_us
                else:
                    insert(state_of(caches, s), number, next_use)


@step
def state_of(caches, s):
    first, first_cell = caches.first_object, caches.first_cell
    return (caches.objects[first[s] : first[s + 1]], caches.cells[first_cell[s] : first_cell[s + 1]], caches.ints[s],
            caches.floats[s])


@step
def walk_pins(routes, egress, requests, served_by, refused):
    """``walk`` where nothing is reactive: only egress may send a request on."""
    time_us, region, asset, bytes_, route = requests
    origin = len(routes.cost) - 1
    for k in range(len(asset)):
        s = np.int64(min(route[k], origin))
        while s < origin and not take(egress, s, bytes_[k], time_us[k]):
            refused[k] = True
            s = next_holder(routes, region[k], asset[k], s)
        served_by[k] = s


@cache
def walk_of(policy_name: str, admission: Admission | None = None) -> Any:
    """``walk`` for a policy, and where there are gates for an admission policy."""
    policy = POLICIES[policy_name]
    if admission is None:
        return step(bound(walk, policy.name, policy, Path(__file__)))
    name, sources = f"{policy.name}_{admission.name}", (Path(__file__), Path(admission.source))
    steps = {"admit": admission.admit, "observe": admission.observe}
    return step(bound(walk, name, policy, *sources, GUARDED=True, **steps))

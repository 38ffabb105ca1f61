"""AdaptSize: an object of s bytes is admitted with probability exp(-s / c), and c follows the requests.

Berger, Sitaraman, Harchol-Balter, "AdaptSize: orchestrating the hot object memory cache in a content delivery network",
NSDI 2017. Every ``interval`` requests the rates of the objects (a moving average) go into a model of an LRU cache, and
c is what makes its hit ratio largest: a coarse search over powers of two, then golden sections. Constants as in
libCacheSim; the random numbers are our own. A lesson looks some 400 times at every object.
"""

from typing import Annotated

import numpy as np

from cdn.caching.admission import CHANCE, CHANCE_START, Admission
from cdn.caching.chance import uniform
from cdn.caching.parameters import WHOLE_MAX, Range
from cdn.compilation import step

# Columns of ``seen``: requests since the last lesson, moving average, size.
LATELY, RATE, SIZE = 0, 1, 2
UNTIL_LESSON, INTERVAL, N_SECTIONS, SEEN_BYTES, CAPACITY = range(1, 6)
C = 0
C_FIRST, OLD_SHARE, FORGOTTEN_RATE = float(1 << 15), 0.3, 0.1
GOLDEN, TOLERANCE = 0.61803399, 3e-8
ROUNDS_OF_AGE, CERTAIN, AGE_MAX = 20, 150.0, 1e70
POSTPONED = 1000


def start(
    capacity_bytes,
    interval: Annotated[int, Range(1, WHOLE_MAX, "requests between two lessons")] = 30_000,
    n_sections: Annotated[int, Range(0, 100, "golden sections of a lesson's search")] = 15,
):
    return [CHANCE_START, interval, interval, n_sections, 0, capacity_bytes], [C_FIRST]


@step
def admit(gate, i, size_bytes):
    return uniform(gate[1], CHANCE) < np.exp(-size_bytes / gate[2][C])


@step
def observe(gate, i, size_bytes):
    seen, ints, floats = gate
    ints[UNTIL_LESSON] -= 1
    if ints[UNTIL_LESSON] <= 0:
        if ints[SEEN_BYTES] <= 3 * ints[CAPACITY]:
            ints[UNTIL_LESSON] = POSTPONED
        else:
            ints[UNTIL_LESSON] = ints[INTERVAL]
            take_stock(seen, ints)
            floats[C] = 2.0 ** best_log_c(seen, ints)
    if seen[i, LATELY] == 0 and seen[i, RATE] == 0:
        ints[SEEN_BYTES] += size_bytes
    seen[i, LATELY] += 1
    seen[i, SIZE] = size_bytes


@step
def take_stock(seen, ints):
    """Requests since the last lesson enter the average; what is hardly asked for any more is forgotten."""
    for i in range(len(seen)):
        lately, rate = seen[i, LATELY], seen[i, RATE]
        if lately == 0 and rate == 0:
            continue
        rate = rate * OLD_SHARE + lately * (1 - OLD_SHARE) if rate > 0 else lately
        if rate < FORGOTTEN_RATE:
            ints[SEEN_BYTES] -= np.int64(seen[i, SIZE])
            rate = 0.0
        seen[i, LATELY] = 0
        seen[i, RATE] = rate


@step
def best_log_c(seen, ints):
    capacity = float(ints[CAPACITY])
    low, high = 0.0, np.log2(capacity)
    first, best = high, 0.0
    for log_c in range(2, int(np.ceil(high)), 4):
        hits = modelled_hits(seen, capacity, float(log_c))
        if hits > best:
            first, best = float(log_c), hits
    if high - first > first - low:
        second, at_first = first + (1 - GOLDEN) * (high - first), best
        at_second = modelled_hits(seen, capacity, second)
    else:
        second, at_second = first, best
        first = low + (1 - GOLDEN) * (first - low)
        at_first = modelled_hits(seen, capacity, first)
    for _ in range(ints[N_SECTIONS]):
        if abs(high - low) <= TOLERANCE * (abs(first) + abs(second)):
            break
        if at_second > at_first:
            low, first, at_first = first, second, at_second
            second = GOLDEN * first + (1 - GOLDEN) * high
            at_second = modelled_hits(seen, capacity, second)
        else:
            high, second, at_second = second, first, at_first
            first = GOLDEN * second + (1 - GOLDEN) * low
            at_first = modelled_hits(seen, capacity, first)
    return first if at_first > at_second else second


@step
def modelled_hits(seen, capacity, log_c):
    """Hits of an LRU cache behind admission with c = 2**log_c, by its characteristic time (a Pade approximation)."""
    c = 2.0**log_c
    flow = 0.0
    for i in range(len(seen)):
        flow += seen[i, RATE] * np.exp(-seen[i, SIZE] / c) * seen[i, SIZE]
    if flow <= 0:
        return 0.0
    age = capacity / flow
    for _ in range(ROUNDS_OF_AGE):
        if age > AGE_MAX:
            break
        stored = expected_bytes(seen, c, age)
        if stored <= 0:
            break
        age *= capacity / stored
    hits = 0.0
    for i in range(len(seen)):
        rate = seen[i, RATE]
        if rate > 0:
            hits += rate * hit_share(rate * age, np.exp(-seen[i, SIZE] / c))
    return hits


@step
def expected_bytes(seen, c, age):
    stored = 0.0
    for i in range(len(seen)):
        expected = seen[i, RATE] * age
        if expected > CERTAIN:
            stored += seen[i, SIZE]
        elif expected > 0:
            admitted = np.exp(-seen[i, SIZE] / c) * (np.exp(expected) - 1)
            stored += seen[i, SIZE] * admitted / (1 + admitted)
    return stored


@step
def hit_share(x, p):
    """Share of an object's requests that hit: x expected requests within the characteristic time, admitted with p."""
    upper = p * x * (840.0 + 60.0 * x + 20.0 * x**2 + x**3)
    lower = 840.0 + 120.0 * (7.0 * p - 3.0) * x + 60.0 * (1.0 + p) * x**2 + 4.0 * (5.0 * p - 1.0) * x**3 + p * x**4
    if lower == 0:
        return 0.0
    return min(max(upper / lower, 0.0), 1.0)


ADAPTSIZE = Admission("adaptsize", __file__, admit, observe, start, "by chance and size, as the requests teach")

"""LHD: of a sample of cached objects the one with the least expected hits per byte and time goes first. It learns.

Beckmann, Chen, Cidon, "LHD: improving cache hit rate by maximizing hit density", NSDI 2018. Hits and evictions are
counted by class (how old an object was at its last two hits) and age; every 2**20 requests the expected density of each
class and age follows from the counts. A few objects are explorers, kept longer to see what happens to old ones.

As in libCacheSim: 8 objects are drawn (32 after 50 lessons) and up to 8 recent ones of little worth are looked at too;
the same random numbers (Lehmer, 128 bits) and single precision, so that misses are equal to the request.
"""

import numpy as np

from cdn.caching import samples
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.caching.samples import N_CACHED
from cdn.compilation import step

OBJECT = np.dtype([
    ("size_bytes", np.int64), ("slot", np.int32), ("explores", np.int32), ("since", np.int64),
    ("last_age", np.int32), ("age_before", np.int32),
])  # fmt: skip
BLANK = np.array((0, NOT_CACHED, 0, 0, 0, 0), OBJECT)

HIGH, LOW, NOW, UNTIL_LESSON, N_LESSONS, SHIFT, BUDGET, N_RECENT, RECENT = range(3, 12)
N_RECENT_KEPT, N_CLASSES, N_AGES = 8, 16, 20_000
# In ``floats``: three scalars, then a table of classes by ages for each of these.
WORTH, MEAN_OBJECTS, MEAN_WEIGHT, TABLES = 0, 1, 2, 3
HITS, EVICTIONS, DENSITY = (TABLES + k * N_CLASSES * N_AGES for k in range(3))
LESSON = 1 << 20
DECAY, KEPT = np.float32(0.9), np.float32(1) - np.float32(0.9)
BUDGET_SHARE, TOLERANCE = np.float32(0.01), np.float32(0.01)
LEAST, MOST = np.finfo(np.float32).min, np.finfo(np.float32).max
FEW_EVENTS = 1e-5
LESSONS_OF_EXPLORING, RESCALING_LESSONS = 50, (5, 25)
SEED, FACTOR = 0xDEADBEEF, np.uint64(0xDA942042E4DD58B5)
HALF, LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)
# libCacheSim's classes of its one application come after the 16 of another, which is never used.
CLASSES_BEFORE = 16


def start(capacity_bytes):
    budget = int(np.float32(capacity_bytes) * BUDGET_SHARE)
    floats = np.zeros(TABLES + 3 * N_CLASSES * N_AGES)
    of_class, of_age = np.ogrid[1 : N_CLASSES + 1, 1 : N_AGES + 1]
    floats[DENSITY:] = ((CLASSES_BEFORE + of_class) / of_age).astype(np.float32).ravel()
    scalars = [0, SEED, 0, LESSON, 0, 10, budget, 0, *[NOT_CACHED] * N_RECENT_KEPT]
    return [capacity_bytes, capacity_bytes, 0, *scalars], floats


@step
def draw(ints):
    """The upper 64 bits of a 128-bit product (Lehmer 1951), kept in two scalars."""
    high, low = np.uint64(ints[HIGH]), np.uint64(ints[LOW])
    a, b, c, d = low >> HALF, low & LOW_HALF, FACTOR >> HALF, FACTOR & LOW_HALF
    middle = a * d + ((b * d) >> HALF)
    other = b * c + (middle & LOW_HALF)
    carried = a * c + (middle >> HALF) + (other >> HALF)
    high = high * FACTOR + carried
    ints[HIGH], ints[LOW] = np.int64(high), np.int64(low * FACTOR)
    return high


@step
def age_of(objects, ints, i):
    return min((ints[NOW] - objects[i].since) >> ints[SHIFT], N_AGES - 1)


@step
def row_of(objects, i):
    """Where an object's class begins in a table: the younger it was at its last two hits, the later."""
    age = np.int64(objects[i].last_age) + objects[i].age_before
    if age == 0:
        return (N_CLASSES - 1) * N_AGES
    number = 0
    while age < N_AGES and number < N_CLASSES - 1:
        age <<= 1
        number += 1
    return number * N_AGES


@step
def density(objects, ints, floats, i):
    age = age_of(objects, ints, i)
    if age == N_AGES - 1:
        return LEAST
    if objects[i].size_bytes == 0:
        return MOST
    expected = np.float32(floats[DENSITY + row_of(objects, i) + age]) / np.float32(objects[i].size_bytes)
    return expected + np.float32(1) if objects[i].explores else expected


@step
def lookup(state, i, next_use):
    objects, _, ints, floats = state
    if objects[i].slot == NOT_CACHED:
        return False
    age = age_of(objects, ints, i)
    floats[HITS + row_of(objects, i) + age] = np.float32(floats[HITS + row_of(objects, i) + age]) + np.float32(1)
    end_exploring(objects, ints, i)
    objects[i].age_before = objects[i].last_age
    objects[i].last_age = age
    note_use(state, i, False)
    return True


@step
def end_exploring(objects, ints, i):
    if objects[i].explores:
        ints[BUDGET] = np.int64(np.float32(ints[BUDGET]) + np.float32(objects[i].size_bytes))


@step
def note_use(state, i, is_new):
    objects, _, ints, floats = state
    objects[i].since = ints[NOW]
    explores = draw(ints) % np.uint64(32) == np.uint64(0)
    objects[i].explores = 0
    if explores and ints[BUDGET] > 0 and ints[N_LESSONS] < LESSONS_OF_EXPLORING:
        objects[i].explores = 1
        ints[BUDGET] = np.int64(np.float32(ints[BUDGET]) - np.float32(objects[i].size_bytes))
    if is_new and not explores and density(objects, ints, floats, i) < np.float32(floats[WORTH]):
        ints[RECENT + ints[N_RECENT] % N_RECENT_KEPT] = i
        ints[N_RECENT] += 1
    ints[NOW] += 1
    ints[UNTIL_LESSON] -= 1
    if ints[UNTIL_LESSON] == 0:
        learn(ints, floats)
        ints[UNTIL_LESSON] = LESSON
        ints[N_LESSONS] += 1


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        evict(state)
    samples.add(state, i)
    objects[i].age_before = N_AGES
    objects[i].last_age = 0
    note_use(state, i, True)
    return True


@step
def evict(state):
    objects, cached, ints, floats = state
    victim, least = NOT_CACHED, MOST
    for _ in range(32 if ints[N_LESSONS] > LESSONS_OF_EXPLORING else 8):
        drawn = cached[np.int64(draw(ints) % np.uint64(ints[N_CACHED]))]
        worth = density(objects, ints, floats, drawn)
        if victim == NOT_CACHED or worth < least:
            victim, least = drawn, worth
    for k in range(N_RECENT_KEPT):
        recent = ints[RECENT + k]
        if recent != NOT_CACHED and objects[recent].slot != NOT_CACHED:
            worth = density(objects, ints, floats, recent)
            if worth < least:
                victim, least = recent, worth
    floats[WORTH] = DECAY * np.float32(floats[WORTH]) + KEPT * least
    at = EVICTIONS + row_of(objects, victim) + age_of(objects, ints, victim)
    floats[at] = np.float32(floats[at]) + np.float32(1)
    end_exploring(objects, ints, victim)
    samples.remove(state, victim)


@step
def learn(ints, floats):
    for at in range(HITS, DENSITY):
        floats[at] = np.float32(floats[at]) * DECAY
    floats[MEAN_OBJECTS] = np.float32(floats[MEAN_OBJECTS]) * DECAY + np.float32(ints[N_CACHED])
    floats[MEAN_WEIGHT] = np.float32(floats[MEAN_WEIGHT]) * DECAY + np.float32(1)
    if ints[N_LESSONS] in RESCALING_LESSONS:
        rescale(ints, floats)
    for c in range(N_CLASSES):
        model(floats, c * N_AGES)


@step
def model(floats, row):
    """Hits from an age on, over the time that objects of that age have still been there."""
    last = row + N_AGES - 1
    hits = np.float32(floats[HITS + last])
    events = hits + np.float32(floats[EVICTIONS + last])
    lifetime = events
    for at in range(last - 1, row - 1, -1):
        hits += np.float32(floats[HITS + at])
        events += np.float32(floats[HITS + at]) + np.float32(floats[EVICTIONS + at])
        lifetime += events
        floats[DENSITY + at] = hits / lifetime if events > FEW_EVENTS else np.float32(0)


@step
def rescale(ints, floats):
    """Makes an age as long as suits the number of objects, and the counts by age with it."""
    objects = np.float32(floats[MEAN_OBJECTS]) / np.float32(floats[MEAN_WEIGHT])
    wanted = np.float32(np.float64(objects) / np.float64(TOLERANCE * np.float32(N_AGES)))
    shift = 1
    while (1 << shift) < wanted:
        shift += 1
    delta = shift - ints[SHIFT]
    ints[SHIFT] = shift
    floats[MEAN_OBJECTS] = np.float32(floats[MEAN_OBJECTS]) * np.float32(8)
    floats[MEAN_WEIGHT] = np.float32(floats[MEAN_WEIGHT]) * np.float32(8)
    for row in range(HITS, DENSITY, N_AGES):
        if delta < 0:
            stretch(floats, row, -delta)
        elif delta > 0:
            squeeze(floats, row, delta)


@step
def stretch(floats, row, by):
    last = row + N_AGES - 1
    for age in range(N_AGES >> by, N_AGES - 1):
        floats[last] = np.float32(floats[last]) + np.float32(floats[row + age])
    for age in range(N_AGES - 2, -1, -1):
        floats[row + age] = np.float32(floats[row + (age >> by)]) / np.float32(1 << by)


@step
def squeeze(floats, row, by):
    for age in range(N_AGES >> by):
        total = np.float32(floats[row + (age << by)])
        for k in range(1, 1 << by):
            total += np.float32(floats[row + (age << by) + k])
        floats[row + age] = total
    for age in range(N_AGES >> by, N_AGES - 1):
        floats[row + age] = 0.0


LHD = Policy("lhd", __file__, lookup, insert, samples.remove, BLANK, start, cells_per_object=1)

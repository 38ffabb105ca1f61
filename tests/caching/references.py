"""Slow, obvious versions of the eviction policies: dicts and lists, sums taken anew, no arrays and no links.

A reference is a function (ids, size_bytes, capacity_bytes) -> list of bool. In every list of ids the oldest is first.
"""

import math


def replay(cache, ids, size_bytes, capacity_bytes):
    """``cache`` has ``find(i)`` -> hit, ``fits(i)``, ``evict(i)``, ``insert(i)`` and ``bytes()``."""
    hits = []
    for i in ids:
        hits.append(cache.find(i))
        if not hits[-1] and size_bytes[i] <= capacity_bytes and cache.fits(i):
            while cache.bytes() + size_bytes[i] > capacity_bytes:
                cache.evict(i)
            cache.insert(i)
    return hits


class Base:
    def __init__(self, size_bytes, capacity_bytes):
        self.size, self.capacity, self.queue = size_bytes, capacity_bytes, []

    def sum(self, ids):
        return sum(self.size[j] for j in ids)

    def fits(self, i):
        return True

    def bytes(self):
        return self.sum(self.queue)

    def find(self, i):
        return i in self.queue

    def evict(self, i):
        self.queue.pop(0)

    def insert(self, i):
        self.queue.append(i)


class Lru(Base):
    def find(self, i):
        hit = i in self.queue
        if hit:
            self.queue.remove(i)
            self.queue.append(i)
        return hit


class Clock(Base):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.used = set()

    def find(self, i):
        if i in self.queue:
            self.used.add(i)
        return i in self.queue

    def evict(self, i):
        while self.queue[0] in self.used:
            self.used.remove(self.queue[0])
            self.queue.append(self.queue.pop(0))
        self.queue.pop(0)


class Sieve(Clock):
    hand = None

    def evict(self, i):
        at = 0 if self.hand is None else self.queue.index(self.hand)
        while self.queue[at] in self.used:
            self.used.remove(self.queue[at])
            at = (at + 1) % len(self.queue)
        self.hand = self.queue[at + 1] if at + 1 < len(self.queue) else None
        del self.queue[at]


class Lfu(Base):
    """Each cached object with (uses, when it got them); the smallest pair goes first."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.queue, self.now = {}, 0

    def find(self, i):
        self.now += 1
        if i in self.queue:
            self.queue[i] = (self.queue[i][0] + self.worth(), self.now)
        return i in self.queue

    def worth(self):
        return 1

    def evict(self, i):
        del self.queue[min(self.queue, key=self.queue.get)]

    def insert(self, i):
        self.queue[i] = (1, self.now)


class Lfuda(Lfu):
    least = 0

    def find(self, i):
        was = self.queue[i][0] if i in self.queue else None
        hit = super().find(i)
        if was == self.least:
            self.look()
        return hit

    def look(self):
        if self.queue:
            self.least = min(self.queue.values())[0]

    def worth(self):
        return self.least

    def evict(self, i):
        victim = min(self.queue, key=self.queue.get)
        self.least = self.queue.pop(victim)[0]
        self.look()

    def insert(self, i):
        self.queue[i] = (self.least + 1, self.now)


class Slru(Base):
    shares = (1, 1, 1, 1)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        total = sum(self.shares)
        self.limits = [int(share / total * self.capacity) for share in self.shares]
        self.segments = [[] for _ in self.shares]

    def bytes(self):
        return sum(self.sum(segment) for segment in self.segments)

    def fits(self, i):
        return self.size[i] <= self.limits[0]

    def find(self, i):
        for n, segment in enumerate(self.segments):
            if i in segment:
                segment.remove(i)
                above = min(n + 1, len(self.segments) - 1)
                self.segments[above].append(i)
                if above > n:
                    self.sink(above)
                return True
        return False

    def sink(self, n):
        while self.sum(self.segments[n]) > self.limits[n]:
            oldest = self.segments[n].pop(0)
            if n > 0:
                self.segments[n - 1].append(oldest)
                self.sink(n - 1)

    def oldest(self):
        return next(segment for segment in self.segments if segment)[0]

    def evict(self, i):
        next(segment for segment in self.segments if segment).pop(0)

    def insert(self, i):
        for segment, limit in zip(self.segments, self.limits, strict=True):
            if self.sum(segment) + self.size[i] <= limit:
                segment.append(i)
                return
        while self.bytes() + self.size[i] > self.capacity:
            self.evict(i)
        self.segments[0].append(i)


class Ghosts(Base):
    """A FIFO queue of ids that remembers up to so many bytes."""

    def push(self, i):
        if self.size[i] <= self.capacity:
            while self.bytes() + self.size[i] > self.capacity:
                self.queue.pop(0)
            self.queue.append(i)

    def take(self, i):
        known = i in self.queue
        if known:
            self.queue.remove(i)
        return known


class TwoQ(Base):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.limit, self.main, self.was_ghost = int(self.capacity * 0.25), [], False
        self.ghosts = Ghosts(self.size, int(self.capacity * 0.5))

    def bytes(self):
        return self.sum(self.queue) + self.sum(self.main)

    def fits(self, i):
        return self.size[i] <= self.limit

    def find(self, i):
        self.was_ghost = self.ghosts.take(i)
        if i in self.main:
            self.main.remove(i)
            self.main.append(i)
        return i in self.queue or i in self.main

    def evict(self, i):
        if self.sum(self.main) > 0 and self.sum(self.queue) <= self.limit:
            self.main.pop(0)
        else:
            self.ghosts.push(self.queue.pop(0))

    def insert(self, i):
        if not self.was_ghost:
            self.queue.append(i)
            return
        while self.sum(self.main) + self.size[i] > self.capacity - self.limit:
            self.main.pop(0)
        self.main.append(i)


class Arc(Base):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.once, self.often, self.ghosts, self.p, self.was = [], [], ([], []), 0.0, None

    def bytes(self):
        return self.sum(self.once) + self.sum(self.often)

    def find(self, i):
        self.was = None
        for queue in (self.once, self.often):
            if i in queue:
                queue.remove(i)
                self.often.append(i)
                return True
        sums = [self.sum(ghosts) for ghosts in self.ghosts]
        for n, ghosts in enumerate(self.ghosts):
            if i in ghosts:
                step = max(sums[1 - n] / sums[n], 1) if sums[n] else 1
                self.p = min(self.p + step, self.capacity) if n == 0 else max(self.p - step, 0)
                ghosts.remove(i)
                self.was = n
        return False

    def evict(self, i):
        once, ghosts = self.sum(self.once), [self.sum(g) for g in self.ghosts]
        if self.was is None:
            if once + ghosts[0] + self.size[i] > self.capacity:
                if ghosts[0] == 0:
                    self.once.pop(0)
                    return
                self.ghosts[0].pop(0)
            elif self.bytes() + sum(ghosts) >= 2 * self.capacity and ghosts[1] > 0:
                self.ghosts[1].pop(0)
        from_once = once > 0 and (once > self.p or (once == self.p and self.was == 1))
        if from_once or self.sum(self.often) == 0:
            self.ghosts[0].append(self.once.pop(0))
        else:
            self.ghosts[1].append(self.often.pop(0))

    def insert(self, i):
        (self.once if self.was is None else self.often).append(i)


class S3fifo(Base):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.limit, self.main, self.uses, self.was_ghost, self.has_evicted = int(self.capacity * 0.1), [], {}, 0, False
        self.ghosts = Ghosts(self.size, int(self.capacity * 0.9))

    def bytes(self):
        return self.sum(self.queue) + self.sum(self.main)

    def fits(self, i):
        return self.size[i] <= self.limit

    def find(self, i):
        self.was_ghost = self.ghosts.take(i)
        hit = i in self.queue or i in self.main
        if hit:
            self.uses[i] += 1
        return hit

    def evict(self, i):
        self.has_evicted = True
        if self.sum(self.main) > self.capacity - self.limit or not self.queue:
            while self.uses[self.main[0]] > 0:
                again = self.main.pop(0)
                self.uses[again] = min(self.uses[again], 3) - 1
                self.main.append(again)
            self.main.pop(0)
            return
        while self.queue:
            oldest = self.queue.pop(0)
            if self.uses[oldest] < 2:
                self.ghosts.push(oldest)
                return
            self.main.append(oldest)
            self.uses[oldest] = 0

    def insert(self, i):
        early = not self.has_evicted and self.sum(self.queue) >= self.limit
        if not self.was_ghost and self.size[i] >= self.limit:
            return
        (self.main if self.was_ghost or early else self.queue).append(i)
        self.uses[i] = 0


class MainPart(Slru):
    shares = (1, 4)


class Wtinylfu(Base):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.limit = int(self.capacity * 0.01)
        self.main, self.uses, self.main_hits = MainPart(self.size, self.capacity - self.limit), {}, 0

    def bytes(self):
        return self.sum(self.queue) + self.main.bytes()

    def fits(self, i):
        return self.size[i] <= self.limit and self.main.fits(i)

    def find(self, i):
        if i in self.queue:
            self.queue.remove(i)
            self.queue.append(i)
            return True
        hit = self.main.find(i)
        if hit:
            self.count(i)
            self.main_hits += 1
            if self.main_hits >= 32 * self.main.capacity:
                self.main_hits, self.uses = 0, {j: uses // 2 for j, uses in self.uses.items()}
        return hit

    def count(self, i):
        self.uses[i] = self.uses.get(i, 0) + 1

    def evict(self, i):
        while self.queue:
            candidate = self.queue.pop(0)
            fits = self.main.bytes() + self.size[candidate] <= self.main.capacity
            if not fits and self.uses[candidate] > self.uses[self.main.oldest()]:
                self.main.evict(candidate)
                self.main.insert(candidate)
            elif fits:
                self.main.insert(candidate)
            self.count(candidate)
            if not fits:
                return
        self.main.evict(i)

    def insert(self, i):
        self.queue.append(i)
        self.count(i)


def gdsf(ids, size_bytes, capacity_bytes):
    """Each cached object with (priority, last use, uses); inserted first, then the smallest goes until all fit."""
    cache, age, hits = {}, 0.0, []
    for k, i in enumerate(ids):
        hits.append(i in cache)
        if i in cache or size_bytes[i] <= capacity_bytes:
            uses = cache[i][2] + 1 if i in cache else 1
            cache[i] = (age + uses * 1e6 / size_bytes[i] if size_bytes[i] else math.inf, k, uses)
        while sum(size_bytes[j] for j in cache) > capacity_bytes:
            victim = min(cache, key=cache.get)
            age = cache.pop(victim)[0]
    return hits


def belady(ids, size_bytes, capacity_bytes):
    """The latest next use goes first; nothing said of those that are not used again."""
    cache, hits = [], []
    for k, i in enumerate(ids):
        hits.append(i in cache)
        if i not in cache and size_bytes[i] <= capacity_bytes:
            while sum(size_bytes[j] for j in cache) + size_bytes[i] > capacity_bytes:
                rest = ids[k + 1 :]
                cache.remove(max(cache, key=lambda j: rest.index(j) if j in rest else len(ids)))
            cache.append(i)
    return hits


def of_class(kind):
    return lambda ids, size_bytes, capacity: replay(kind(size_bytes, capacity), ids, size_bytes, capacity)


REFERENCES = {
    "2q": of_class(TwoQ), "arc": of_class(Arc), "belady": belady, "clock": of_class(Clock), "fifo": of_class(Base),
    "gdsf": gdsf, "lfu": of_class(Lfu), "lfuda": of_class(Lfuda), "lru": of_class(Lru), "s3fifo": of_class(S3fifo),
    "sieve": of_class(Sieve), "slru": of_class(Slru), "wtinylfu": of_class(Wtinylfu),
}  # fmt: skip

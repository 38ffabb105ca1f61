"""A trace through many caches in one pass: several policies and sizes at once, a thread for each core."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from cdn.caching import open_cache
from cdn.caching.cache import Cache, global_next_uses
from cdn.caching.next_uses import next_uses
from cdn.compilation import kernel
from cdn.traces.chunks import TraceChunk
from cdn.traces.identifiers import Objects
from cdn.traces.pieces import Piece, pieces_of


@dataclass(frozen=True)
class CacheCounts:
    """What one cache missed. Bytes count an object's first size; ``seconds`` are this cache's alone."""

    policy: str
    size_bytes: int
    requests: int
    misses: int
    request_bytes: int
    missed_bytes: int
    seconds: float

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class TraceCounts:
    """Of the trace as a whole. ``changed_sizes``: requests whose size is not that of their object's first request."""

    requests: int
    objects: int
    footprint_bytes: int
    changed_sizes: int


def replay_trace(
    chunks: Iterable[TraceChunk], caches: Sequence[tuple[str, int]], *, threads: int = 2,
    progress: Callable[[int], None] = lambda requests: None, **options: object,
) -> tuple[list[CacheCounts], TraceCounts]:  # fmt: skip
    """What each of ``caches`` (policy, capacity in bytes) misses, and what the trace is.

    ``options`` are those of ``open_cache``; ``progress`` is told how many requests are done. Memory grows with the
    objects; only for a policy that looks ahead, where the trace does not say when objects are asked for again, with
    the requests (36 bytes each). Raises what ``open_cache`` and the chunks raise.
    """
    opened = [open_cache(policy, capacity, **options) for policy, capacity in caches]  # type: ignore[arg-type]
    for cache in opened:  # compiled, or found on disk, before any clock starts
        nothing = np.zeros(0, dtype=np.int64)
        _replay(cache, Piece(np.zeros(0, dtype=np.int32), nothing, nothing, nothing, nothing))
    objects = Objects()
    counts = [CacheCounts(policy, capacity, 0, 0, 0, 0, 0.0) for policy, capacity in caches]
    pieces = pieces_of(chunks, objects)
    if any(cache.policy.looks_ahead for cache in opened):
        pieces = _looking_ahead(pieces)
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        # Another thread's core would first have to fetch what this one has just numbered.
        run = pool.map if threads > 1 else map
        piece = next(pieces, None)
        while piece is not None:
            counted = run(_replay, opened, repeat(piece))
            following = next(pieces, None) if threads > 1 else None  # read while the caches work
            counts = [_sum(count, more) for count, more in zip(counts, counted, strict=True)]
            done += len(piece.ids)
            progress(done)
            piece = following if threads > 1 else next(pieces, None)
    return counts, TraceCounts(done, objects.n, int(objects.size_bytes.sum()), objects.n_changed)


def _looking_ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """With next uses: the file's own, or else found by holding the whole trace."""
    first = next(pieces, None)
    if first is None:
        return
    if first.next_use is not None:
        yield first
        yield from pieces
        return
    held = [first, *pieces]
    following = global_next_uses(next_uses(np.concatenate([piece.ids for piece in held]), len(held[-1].size_bytes)))
    done = 0
    for piece in held:
        yield replace(piece, next_use=following[done : done + len(piece.ids)])
        done += len(piece.ids)


def _replay(cache: Cache, piece: Piece) -> tuple[int, int, int, int, float]:
    start = time.perf_counter()
    next_use = piece.next_use if cache.policy.looks_ahead else None
    hit = cache.replay(piece.ids, piece.size_bytes, piece.time_s, next_use)
    seconds = time.perf_counter() - start
    return (len(hit), *missed(hit, piece.asked_bytes), seconds)


def _sum(count: CacheCounts, more: tuple[int, int, int, int, float]) -> CacheCounts:
    requests, misses, request_bytes, missed_bytes, seconds = more
    return replace(
        count, requests=count.requests + requests, misses=count.misses + misses,
        request_bytes=count.request_bytes + request_bytes, missed_bytes=count.missed_bytes + missed_bytes,
        seconds=count.seconds + seconds,
    )  # fmt: skip


@kernel
def missed(hit, asked_bytes):
    """(misses, bytes asked for, bytes missed)."""
    misses = asked = lost = 0
    for k in range(len(hit)):
        asked += asked_bytes[k]
        misses += not hit[k]
        lost += 0 if hit[k] else asked_bytes[k]
    return misses, asked, lost

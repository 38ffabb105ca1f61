"""Kinds of assets: two are of one kind where no request can tell them apart by its route.

They are pinned in the same caches, excluded from the same, may be served to the same regions, and are larger than the
same caches. A placement knows far fewer kinds than assets (most are pinned nowhere, and nightly plans fill whole groups
of caches alike), so a table of routes by kind is short where one by asset would not fit into the processor's caches.
"""

from typing import Any

import numpy as np

from cdn.compilation import step

FIBONACCI = np.uint64(0x9E3779B97F4A7C15)
NONE = 0


def kinds_of(routes: Any, n_kinds_max: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(A,) int32 kind of each asset of ``Routes``, and (n_kinds,) int32 an asset of each; None where there are more
    than the maximum."""
    n_assets = len(routes.size_bytes)
    bits = max(2 * n_assets - 1, 1).bit_length()
    places, kind = np.zeros(1 << bits, dtype=np.int32), np.empty(n_assets, dtype=np.int32)
    steps = np.unique(routes.storage_bytes)
    larger_than, example = np.empty(n_assets, dtype=np.int32), np.empty(min(n_kinds_max, n_assets), dtype=np.int32)
    _compare_sizes(routes.size_bytes, steps, larger_than)
    n_kinds = int(_number(routes, larger_than, bits, places, kind, example))
    return None if n_kinds > n_kinds_max else (kind, example[:n_kinds])


@step
def _compare_sizes(size_bytes, steps, larger_than):
    for a in range(len(size_bytes)):
        n = 0
        while n < len(steps) and size_bytes[a] > steps[n]:
            n += 1
        larger_than[a] = n


@step
def _number(routes, larger_than, bits, places, kind, example):
    """How many kinds there are: open addressing, ``places`` (2 ** bits,) a kind and 1. One more than there is room for
    in ``example`` where there are too many."""
    n_kinds = 0
    for a in range(len(kind)):
        at = np.int64(digest_of(routes, larger_than, a) >> np.uint64(64 - bits))
        while places[at] != NONE and not are_alike(routes, larger_than, example[places[at] - 1], a):
            at = (at + 1) & (len(places) - 1)
        if places[at] == NONE:
            if n_kinds == len(example):
                return n_kinds + 1
            example[n_kinds] = a
            n_kinds += 1
            places[at] = n_kinds
        kind[a] = places[at] - 1
    return n_kinds


@step
def digest_of(routes, larger_than, a):
    digest = np.uint64(larger_than[a]) * FIBONACCI
    for word in range(routes.pinned.shape[1]):
        digest = (digest ^ routes.pinned[a, word]) * FIBONACCI
        digest = (digest ^ routes.excluded[a, word] ^ (digest >> np.uint64(32))) * FIBONACCI
        digest = (digest ^ routes.true[a, word] ^ (digest >> np.uint64(32))) * FIBONACCI
    if routes.restricted[a]:
        for allowed in routes.allowed[routes.allowed_row[a]]:
            digest = (digest ^ np.uint64(1 + allowed) ^ (digest >> np.uint64(32))) * FIBONACCI
    return (digest ^ (digest >> np.uint64(32))) * FIBONACCI


@step
def are_alike(routes, larger_than, a, b):
    if larger_than[a] != larger_than[b] or routes.restricted[a] != routes.restricted[b]:
        return False
    for word in range(routes.pinned.shape[1]):
        if (
            routes.pinned[a, word] != routes.pinned[b, word]
            or routes.excluded[a, word] != routes.excluded[b, word]
            or routes.true[a, word] != routes.true[b, word]
        ):
            return False
    if routes.restricted[a]:
        row, other = routes.allowed_row[a], routes.allowed_row[b]
        for r in range(routes.allowed.shape[1]):
            if routes.allowed[row, r] != routes.allowed[other, r]:
                return False
    return True

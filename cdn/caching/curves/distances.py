"""LRU stack distances in bytes, in one pass: how large an LRU cache must be for each request to hit.

The byte distance of a request is the size of its object plus that of all *other* objects used since its last use. An
LRU cache of capacity C that every object fits in holds, after each request, as many of the most recently used objects
as fit, in order of last use, up to the first that does not: a miss evicts from the far end until the object fits, and
a hit only moves an object to the front of what is cached anyway. So it hits exactly where the distance is at most C
(Mattson, Gecsei, Slutz, Traiger, "Evaluation techniques for storage hierarchies", 1970; with sizes as well). Objects
larger than C break this: the cache passes them by, the distance counts them.

Bytes are kept in a Fenwick tree over the positions of last uses (Bennett, Kruskal, "LRU stack processing", 1975;
Fenwick, 1994). Only last uses hold bytes, so when the positions run out the objects' own are packed to the front: the
tree grows with the objects, not with the requests. O(n log m) for n requests of m objects.
"""

import numpy as np

from cdn.compilation import kernel, routine

FIRST_USE = -1
# Positions per object: packing is then paid by at least as many requests as it moves objects.
POSITIONS_PER_OBJECT = 2


@kernel
def others_between_uses(ids, size_bytes):
    """(N,) int64: bytes of other objects used since the last use of the request's object; FIRST_USE for its first.

    ``ids`` (N,) int32 in 0..n_ids-1; ``size_bytes`` (n_ids,) int64 >= 0. The byte distance is this plus the size.
    """
    others = np.empty(len(ids), dtype=np.int64)
    n_positions = POSITIONS_PER_OBJECT * len(size_bytes) + 1
    tree = np.zeros(n_positions + 1, dtype=np.int64)
    user = np.empty(n_positions + 1, dtype=np.int32)  # the object that used a position
    last = np.zeros(len(size_bytes), dtype=np.int32)  # positions count from 1; 0 is never
    now = 0
    for k in range(len(ids)):
        wanted = ids[k]
        size = size_bytes[wanted]
        if now == n_positions:
            now = _pack(tree, user, last, size_bytes)
        old, now = last[wanted], now + 1
        user[now] = wanted
        last[wanted] = now
        new = now
        if old == 0:
            others[k] = FIRST_USE
        else:
            # Sums up to now-1 and up to the old position, each down to where the two walks meet.
            between, high, low = 0, now - 1, old
            while high != low:
                if high > low:
                    between += tree[high]
                    high &= high - 1
                else:
                    between -= tree[low]
                    low &= low - 1
            others[k] = between
            # From where the two upward walks meet on, taking away and adding cancel out.
            while old != new and old <= n_positions:
                if old < new:
                    tree[old] -= size
                    old += old & -old
                else:
                    tree[new] += size
                    new += new & -new
            if old == new:
                continue
        while new <= n_positions:
            tree[new] += size
            new += new & -new
    return others


@routine
def _pack(tree, user, last, size_bytes):
    """Moves the last uses to positions 1, 2, ... in their order and rebuilds the tree; the last position in use."""
    kept = 0
    for position in range(1, len(tree)):
        one = user[position]
        if last[one] == position:
            kept += 1
            user[kept] = one
            last[one] = kept
    tree[:] = 0
    for position in range(1, len(tree)):
        if position <= kept:
            tree[position] += size_bytes[user[position]]
        above = position + (position & -position)
        if above < len(tree):
            tree[above] += tree[position]
    return kept

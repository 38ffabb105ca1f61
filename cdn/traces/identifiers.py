"""Dense ids of a trace's objects, numbered by first appearance, and their sizes.

An object's size is that of its first request; later ones that say otherwise are counted, and change nothing.
"""

import numpy as np
import pyarrow as pa

from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.errors import DataError

# ``number`` is an id and 1, so that a table of zeros is vacant; ``size_bytes`` is there too where it fits, so that a
# request costs one random access, not two.
PLACE = np.dtype([("key", np.uint64), ("number", np.int32), ("size_bytes", np.uint32)])
LARGE = 2**32 - 1
VACANT = 0
AHEAD = 32
PLACES_AT_FIRST = 1 << 16
FIBONACCI = np.uint64(0x9E3779B97F4A7C15)
OBJECTS_MAX = 2**31 - 2


class Objects:
    """``n`` objects so far; ``size_bytes`` (n,) int64; ``n_changed`` requests with a size that is not the first."""

    def __init__(self) -> None:
        self.n, self.n_changed = 0, 0
        self._sizes = np.zeros(PLACES_AT_FIRST, dtype=np.int64)
        self._places = np.zeros(PLACES_AT_FIRST, dtype=PLACE)
        self._texts: dict[str, int] = {}

    @property
    def size_bytes(self) -> np.ndarray:
        return self._sizes[: self.n]

    def take_in(self, key: np.ndarray | pa.Array, size_bytes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) int32 ids of N requests and (N,) int64 sizes that count; ``key`` (N,) uint64 or text, ``size_bytes``
        (N,) int64.

        Raises DataError past 2**31 - 2 objects.
        """
        ids, counting = np.empty(len(key), dtype=np.int32), np.empty(len(key), dtype=np.int64)
        if isinstance(key, np.ndarray):
            self._number(key, size_bytes, ids, counting)
        else:
            before = self.n
            ids[:] = self._ids_of_texts(key)
            self._make_room(self.n)
            self.n_changed += int(note_sizes(ids, size_bytes, self._sizes, before, counting))
        if self.n > OBJECTS_MAX:
            raise DataError.of_file("trace", f"at most {OBJECTS_MAX} objects", self.n)
        return ids, counting

    def _make_room(self, n: int) -> None:
        if n > len(self._sizes):
            sizes = np.zeros(2 * n, dtype=np.int64)
            sizes[: len(self._sizes)] = self._sizes
            self._sizes = sizes

    def _number(self, key: np.ndarray, size_bytes: np.ndarray, ids: np.ndarray, counting: np.ndarray) -> None:
        done = 0
        while done < len(key):
            done, self.n, changed = number(key, size_bytes, done, self._places, self.n, self._sizes, ids, counting)
            self.n_changed += changed
            if done < len(key):
                places = np.zeros(2 * len(self._places), dtype=PLACE)
                move_in(self._places, places)
                self._places = places
                self._make_room(len(places) // 2)

    def _ids_of_texts(self, key: pa.Array) -> np.ndarray:
        encoded = key if isinstance(key, pa.DictionaryArray) else key.dictionary_encode()
        positions = encoded.indices.to_numpy(zero_copy_only=False)
        texts = encoded.dictionary.to_pylist()
        # Only what the requests ask for, in the order they do: a dictionary may list more, in another order.
        used, first = np.unique(positions, return_index=True)
        known = np.empty(len(texts), dtype=np.int32)
        for position in used[np.argsort(first)].tolist():
            known[position] = self._texts.setdefault(texts[position], len(self._texts))
        self.n = len(self._texts)
        return known[positions]


@step
def place_of(key, bits):
    """Fibonacci hashing: the top bits of the product (Knuth, The Art of Computer Programming 3, 6.4)."""
    return np.int64((key * FIBONACCI) >> np.uint64(64 - bits))


@step
def bits_of(n):
    bits = 0
    while (1 << bits) < n:
        bits += 1
    return bits


@step
def number(key, size_bytes, start, places, n, sizes, ids, counting):
    """Open addressing, up to half full: (requests done, objects known, requests that say another size than their
    object's first); fewer than all when the places run out."""
    bits, last, changed = bits_of(len(places)), len(key) - 1, 0
    for k in range(start, len(key)):
        if 2 * n >= len(places):
            return k, n, changed
        prefetch(places, place_of(key[min(k + AHEAD, last)], bits))
        at = place_of(key[k], bits)
        while places[at].number != VACANT and places[at].key != key[k]:
            at = (at + 1) & (len(places) - 1)
        if places[at].number == VACANT:
            sizes[n] = size_bytes[k]
            n += 1
            places[at].key = key[k]
            places[at].number = n
            places[at].size_bytes = min(size_bytes[k], LARGE)
        ids[k] = places[at].number - 1
        first = np.int64(places[at].size_bytes)
        counting[k] = sizes[ids[k]] if first == LARGE else first
        changed += counting[k] != size_bytes[k]
    return len(key), n, changed


@step
def move_in(old, places):
    """Numbers keep their ids in a larger table."""
    bits = bits_of(len(places))
    for k in range(len(old)):
        if old[k].number != VACANT:
            at = place_of(old[k].key, bits)
            while places[at].number != VACANT:
                at = (at + 1) & (len(places) - 1)
            places[at] = old[k]


@step
def note_sizes(ids, size_bytes, sizes, n_known, counting):
    """The first size of each object, for each request; how many requests say another."""
    changed, last = 0, len(ids) - 1
    for k in range(len(ids)):
        prefetch(sizes, ids[min(k + AHEAD, last)])
        i = ids[k]
        if i == n_known:
            sizes[i] = size_bytes[k]
            n_known += 1
        elif sizes[i] != size_bytes[k]:
            changed += 1
        counting[k] = sizes[i]
    return changed

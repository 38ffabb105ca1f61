"""Rows of bits, 64 to a word: which caches store an asset."""

import numpy as np

from cdn.compilation import inlined, routine

WORD_BITS = 64


def closed_rows(n_assets: int, n_sites: int) -> np.ndarray:
    """(A, words) uint64: a row of bits for each asset, none set."""
    return np.zeros((n_assets, (n_sites + WORD_BITS - 1) // WORD_BITS), dtype=np.uint64)


@routine
def has_bit(row, s):
    """Whether the bit of cache ``s`` is set."""
    return (row[s >> 6] >> np.uint64(s & 63)) & np.uint64(1) != 0


@routine
def set_bit(row, s):
    """Sets the bit of cache ``s``."""
    row[s >> 6] |= np.uint64(1) << np.uint64(s & 63)


@inlined
def clear_bit(row, s):
    """Clears the bit of cache ``s``."""
    row[s >> 6] &= ~(np.uint64(1) << np.uint64(s & 63))

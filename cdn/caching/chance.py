"""Random numbers from one int64 scalar of a state: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).

The seed is always the same: the same stream gives the same hits.
"""

import numpy as np

from cdn.compilation import step

START = 1
GAMMA, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@step
def next_random(ints, at):
    """The next of a sequence of uint64, with its place kept in ``ints[at]``."""
    x = np.uint64(ints[at]) + GAMMA
    ints[at] = np.int64(x)
    x = (x ^ (x >> S30)) * FIRST
    x = (x ^ (x >> S27)) * SECOND
    return x ^ (x >> S31)


@step
def uniform(ints, at):
    """In [0, 1)."""
    return np.float64(next_random(ints, at) >> S11) * 2.0**-53


@step
def position(ints, at, n):
    """In 0..n-1."""
    return np.int64(next_random(ints, at) % np.uint64(n))

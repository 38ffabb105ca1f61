"""Which misses ask for their object to be stored: admission policies, asked before anything is evicted.

An admission policy is two compiled steps over a gate, a tuple of three arrays (``seen`` (n_ids, 3) float64, ``ints``,
``floats``):

- ``admit(gate, i, size_bytes) -> bool``, asked at a miss;
- ``observe(gate, i, size_bytes)``, told of every request, between lookup and ``admit``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from cdn.caching.chance import START as CHANCE_START
from cdn.caching.chance import uniform
from cdn.caching.parameters import WHOLE_MAX, Range
from cdn.compilation import step

Gate = tuple[np.ndarray, np.ndarray, np.ndarray]
CHANCE, THRESHOLD = 0, 1
PROBABILITY = 0


@dataclass(frozen=True, eq=False)
class Admission:
    """``start(capacity_bytes, **parameters)`` gives (ints, floats); its keywords are the policy's parameters
    (``cdn.caching.parameters``); ``rule``: which misses are stored."""

    name: str
    source: str
    admit: Any
    observe: Any
    start: Callable[..., tuple[list[int], list[float]]]
    rule: str

    def empty_gate(self, capacity_bytes: int, n_ids: int, **parameters: float) -> Gate:
        ints, floats = self.start(capacity_bytes, **parameters)
        return np.zeros((n_ids, 3)), np.array(ints, dtype=np.int64), np.array(floats, dtype=np.float64)


@step
def ignore(gate, i, size_bytes):
    return None


@step
def admit_all(gate, i, size_bytes):
    return True


@step
def admit_small(gate, i, size_bytes):
    return size_bytes < gate[1][THRESHOLD]


@step
def admit_by_chance(gate, i, size_bytes):
    return uniform(gate[1], CHANCE) < gate[2][PROBABILITY]


@step
def admit_by_size(gate, i, size_bytes):
    return uniform(gate[1], CHANCE) < np.exp(-gate[2][PROBABILITY] * size_bytes)


@step
def admit_second_miss(gate, i, size_bytes):
    seen = gate[0]
    seen[i, 0] += 1
    return seen[i, 0] > 1


def start_all(capacity_bytes):
    return [0, 0], [0.0]


def start_small(
    capacity_bytes,
    threshold_bytes: Annotated[int, Range(0, WHOLE_MAX, "only what is smaller is stored")] = WHOLE_MAX,
):
    return [0, threshold_bytes], [0.0]


def start_by_chance(
    capacity_bytes,
    probability: Annotated[float, Range(0, 1, "share of the misses that are stored", without=(0,))] = 0.5,
):
    return [CHANCE_START, 0], [probability]


def start_by_size(
    capacity_bytes,
    exponent: Annotated[float, Range(0, 1, "exp(-exponent size) of the misses are stored", without=(0,))] = 1e-6,
):
    return [CHANCE_START, 0], [exponent]


NONE = Admission("none", __file__, admit_all, ignore, start_all, "all misses")
SIZE = Admission("size", __file__, admit_small, ignore, start_small, "objects below a size")
PROBABILISTIC = Admission("probabilistic", __file__, admit_by_chance, ignore, start_by_chance, "a share of the misses")
SIZE_PROBABILISTIC = Admission(
    "size-probabilistic", __file__, admit_by_size, ignore, start_by_size, "by chance, the smaller the likelier"
)
SECOND_MISS = Admission("bloom", __file__, admit_second_miss, ignore, start_all, "what missed before")

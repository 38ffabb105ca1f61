"""What an eviction policy is: a few compiled steps over the state of one cache.

The state is a tuple of four arrays, the same for all policies, so that any kernel can hold the states of many caches:

- ``objects`` (n_ids,): one row per object ever seen, of the policy's own dtype, 32 bytes or less. ``size_bytes`` is
  its first field; the rest says where the object is.
- ``cells``: the policy's queue, heap or table, of its own dtype; at least ``cells_per_object`` cells per object.
- ``ints``: int64 scalars; the first two are the free bytes and the capacity in bytes.
- ``floats``: float64 scalars.

The steps, ``i`` an object's id:

- ``lookup(state, i, next_use) -> bool``: whether the cache has the object; notes the use (also what ghosts note).
- ``insert(state, i, next_use) -> bool``: after a lookup that missed: evicts until the object fits, and stores it;
  whether it did. Never called, it leaves the cache without the object: a network's or an admission policy's choice.
- ``remove(state, i)``: takes the object out if it is there (its time to live has passed); ghosts stay.

- ``foresee(state, next_use)``, only where it helps: asks for the memory that a use some requests on will write to.

``next_use`` is the position of the object's next request, or ``NO_NEXT_USE``; only policies that look ahead read it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FREE, CAPACITY = 0, 1
NOT_CACHED = -1
NO_NEXT_USE = 2**62
UNBOUNDED_BYTES = 2**62
SPARE_CELLS = 64
ONE_ID = np.dtype(np.int32)

State = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Policy:
    """``source``: the policy's file, ``__file__``. ``blank``: the row of an object not seen before, a structured array
    of shape (). ``start(capacity_bytes, **parameters)`` gives the scalars of an empty cache, (ints, floats); its
    keywords and their defaults are the policy's parameters (``cdn.caching.parameters``)."""

    name: str
    source: str
    lookup: Any
    insert: Any
    remove: Any
    blank: np.ndarray
    start: Callable[..., tuple[list[int], Any]]
    cell: np.dtype = ONE_ID
    cells_per_object: int = 0
    looks_ahead: bool = False
    foresee: Any = None

    def empty_state(self, capacity_bytes: int, n_ids: int, **parameters: float) -> State:
        """The state of an empty cache with room for ``n_ids`` objects' rows."""
        ints, floats = self.start(capacity_bytes, **parameters)
        return (
            np.full(n_ids, self.blank, dtype=self.blank.dtype),
            np.zeros(self.n_cells(n_ids), dtype=self.cell),
            np.array(ints, dtype=np.int64),
            np.array(floats if len(floats) else [0.0], dtype=np.float64),
        )

    def n_cells(self, n_ids: int) -> int:
        return self.cells_per_object * n_ids + SPARE_CELLS if self.cells_per_object else 0

    def grown_state(self, state: State, n_ids: int) -> State:
        """The same cache with room for more objects."""
        objects, cells, ints, floats = state
        more = np.full(n_ids, self.blank, dtype=self.blank.dtype)
        more[: len(objects)] = objects
        more_cells = np.zeros(self.n_cells(n_ids), dtype=self.cell)
        more_cells[: len(cells)] = cells
        return more, more_cells, ints, floats

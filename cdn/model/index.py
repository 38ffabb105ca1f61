"""The one place where string ids become dense integers and back."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

UNKNOWN = -1


class Index:
    """Ids in a fixed order; the dense integer of an id is its position. Never changes."""

    def __init__(self, ids: Iterable[str]):
        # pandas' hash index is the fastest well-kept bulk look-up of strings at hand.
        self._ids = pd.Index(list(ids), dtype=object)
        if not self._ids.is_unique:
            twice = self._ids[self._ids.duplicated()][0]
            raise ValueError(f"id {twice!r} stands twice")

    def __len__(self) -> int:
        return len(self._ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self._ids.equals(other._ids)

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, id_: str) -> bool:
        return id_ in self._ids

    def __iter__(self):
        return iter(self._ids)

    @property
    def ids(self) -> np.ndarray:
        """All ids, in order (object array; a copy)."""
        return self._ids.to_numpy(copy=True)

    def id_of(self, position: int | np.integer) -> str:
        """The id at a dense position."""
        return self._ids[position]

    def ids_of(self, positions: np.ndarray | Sequence[int]) -> np.ndarray:
        """Ids at many positions (object array)."""
        return self._ids.to_numpy()[np.asarray(positions, dtype=np.int64)]

    def position_of(self, id_: str) -> int:
        """Dense position of one id. Raises KeyError where it is unknown."""
        return int(self._ids.get_loc(id_))

    def positions_of(self, ids: Iterable[str]) -> np.ndarray:
        """Dense positions (int32) of many ids; UNKNOWN (-1) where an id is not in the index."""
        wanted = ids.to_numpy(dtype=object) if isinstance(ids, pd.Series) else np.asarray(ids, dtype=object)
        return self._ids.get_indexer(wanted).astype(np.int32)

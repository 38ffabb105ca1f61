"""The catalog: every asset, its title, its size and the rules that bind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdn.model.arrays import frozen
from cdn.model.index import Index


@dataclass(frozen=True, eq=False)
class Catalog:
    """A assets. Rules are sparse: only assets that have one stand in its mapping (asset position -> ids).

    ``size_bytes`` (A,) int64 > 0. ``licence_start`` / ``licence_end`` (A,) datetime64[us], NaT where open;
    the licence holds from start (inclusive) to end (exclusive). ``allowed_regions``: the only regions the
    asset may be served to from a cache. ``pinned_sites`` must store it, ``excluded_sites`` must not.
    ``attributes``: the catalog's other columns (title, genres, release_date, ...), untouched, each (A,).
    """

    asset_index: Index
    title_ids: np.ndarray
    size_bytes: np.ndarray
    licence_start: np.ndarray
    licence_end: np.ndarray
    allowed_regions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    pinned_sites: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    excluded_sites: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title_ids", frozen(self.title_ids, object))
        object.__setattr__(self, "size_bytes", frozen(self.size_bytes, np.int64))
        for name in ("licence_start", "licence_end"):
            object.__setattr__(self, name, frozen(getattr(self, name), "datetime64[us]"))
        n = len(self.asset_index)
        for name in ("title_ids", "size_bytes", "licence_start", "licence_end"):
            if getattr(self, name).shape != (n,):
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected ({n},)")
        if n and self.size_bytes.min() <= 0:
            raise ValueError("size_bytes must be positive")

    @classmethod
    def of_sizes(cls, asset_ids, size_bytes, **rules) -> "Catalog":
        """A catalog of one asset per title and no rules but those given."""
        index = Index(asset_ids)
        never = np.full(len(index), np.datetime64("NaT", "us"))
        fields = {"title_ids": index.ids, "licence_start": never, "licence_end": never} | rules
        return cls(asset_index=index, size_bytes=size_bytes, **fields)

    def __len__(self) -> int:
        return len(self.asset_index)

    @property
    def footprint_bytes(self) -> int:
        """All assets once."""
        return int(self.size_bytes.sum())

    def licensed_on(self, day: pd.Timestamp) -> np.ndarray:
        """(A,) bool: the licence covers the whole UTC day."""
        start, end = np.datetime64(day, "us"), np.datetime64(day + pd.Timedelta(days=1), "us")
        begun = np.isnat(self.licence_start) | (self.licence_start <= start)
        return begun & (np.isnat(self.licence_end) | (self.licence_end >= end))

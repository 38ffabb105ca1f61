"""Branching: for single assets, which sites store it is told apart case by case, each case with prices of its own."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen

LEAF = -1


@dataclass(frozen=True, eq=False)
class Branching:
    """T binary trees, one per asset, M nodes in all, in preorder; L of them are leaves.

    ``asset`` (T,) int32, ascending. ``indptr`` (T + 1,) int64: nodes ``indptr[t]`` to ``indptr[t + 1]`` are tree t.
    ``site`` (M,) int32: the cache an inner node branches on, ``LEAF`` (-1) at a leaf. The child that follows an inner
    node has the asset stored at that cache, its other child has it not stored there. ``serve`` (K,) cost credited to
    each demand entry of the asset, leaf after leaf in preorder: each leaf has one price per entry of its asset.

    Raises ValueError where the trees are not whole or a price is not finite.
    """

    asset: np.ndarray
    indptr: np.ndarray
    site: np.ndarray
    serve: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("asset", np.int32), ("indptr", np.int64), ("site", np.int32), ("serve", np.float64)):
            values = frozen(getattr(self, name), dtype)
            if values.ndim != 1:
                raise ValueError(f"branching {name} must have one axis")
            object.__setattr__(self, name, values)
        if (np.diff(self.asset) <= 0).any() or (self.asset[:1] < 0).any():
            raise ValueError("branching assets must ascend")
        if len(self.indptr) != len(self.asset) + 1 or self.indptr[0] != 0 or self.indptr[-1] != len(self.site):
            raise ValueError("branching indptr does not fit the trees and nodes")
        if not np.isfinite(self.serve).all():
            raise ValueError("branching serve prices must be finite")
        if (self.site < LEAF).any():
            raise ValueError("branching sites must not be negative")
        self._check_trees()

    def _check_trees(self) -> None:
        """A preorder is whole when the nodes still to come, one more with each inner node and one less with each leaf,
        run out at its last node and not before."""
        if (np.diff(self.indptr) <= 0).any():
            raise ValueError("a branching tree has at least one node")
        to_come = np.cumsum(np.where(self.site == LEAF, -1, 1)) + 1
        at_start = np.concatenate([[0], to_come[self.indptr[1:-1] - 1] - 1]) if len(self.asset) else to_come[:0]
        to_come -= np.repeat(at_start, np.diff(self.indptr))
        last = self.indptr[1:] - 1
        wrong = to_come <= 0
        wrong[last] = to_come[last] != 0
        if wrong.any():
            tree = int(np.searchsorted(self.indptr, np.flatnonzero(wrong)[0], side="right")) - 1
            raise ValueError(f"the branching tree of asset number {self.asset[tree]} is not whole")

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def leaf_counts(self) -> np.ndarray:
        """(T,) int64 leaves of each tree."""
        return (np.diff(self.indptr) + 1) // 2

    def serve_starts(self, demand_indptr: np.ndarray, n_sites: int) -> np.ndarray:
        """(T + 1,) int64: where in ``serve`` the prices of each tree begin, for demand with these row pointers (A + 1,)
        and this number of caches. Raises ValueError where an asset or site is not there or prices are missing."""
        if len(self) and self.asset[-1] >= len(demand_indptr) - 1:
            raise ValueError("branching names an asset that is not there")
        if (self.site >= n_sites).any():
            raise ValueError("branching names a cache that is not there")
        entries = demand_indptr[self.asset + 1] - demand_indptr[self.asset]
        starts = np.concatenate([[0], np.cumsum(self.leaf_counts * entries)])
        if starts[-1] != len(self.serve):
            raise ValueError(f"branching needs {starts[-1]} serve prices and has {len(self.serve)}")
        return starts

"""Branching: for single assets, which sites store it is told apart case by case, each case with its prices."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen


@dataclass(frozen=True, eq=False)
class Branching:
    """T binary trees, one per asset, M nodes in all, in preorder.

    ``asset`` (T,) int32, ascending. ``indptr`` (T + 1,) int64: nodes ``indptr[t]`` to ``indptr[t + 1]`` are tree t.
    ``site`` (M,) int32: the cache an inner node branches on; ``-1 - c`` at a leaf that the tree's price vector number c
    bounds. The child that follows an inner node has the asset stored at that cache, its other child has it not stored
    there. ``serve`` (K,) cost credited to each demand entry of the asset: tree after tree its vectors 0, 1, .., each
    with one price per entry. Leaves may share a vector; each vector bounds some leaf.

    Raises ValueError where the trees are not whole, a vector is not used or a price is not finite.
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
        self._check_trees()
        self._check_vectors()

    def _check_trees(self) -> None:
        """A preorder is whole when the nodes still to come, one more with each inner node and one less with each leaf,
        run out at its last node and not before."""
        if (np.diff(self.indptr) <= 0).any():
            raise ValueError("a branching tree has at least one node")
        to_come = np.cumsum(np.where(self.site < 0, -1, 1)) + 1
        at_start = np.concatenate([[0], to_come[self.indptr[1:-1] - 1] - 1]) if len(self.asset) else to_come[:0]
        to_come -= np.repeat(at_start, np.diff(self.indptr))
        last = self.indptr[1:] - 1
        wrong = to_come <= 0
        wrong[last] = to_come[last] != 0
        if wrong.any():
            raise ValueError(f"the branching tree of {self._owner(np.flatnonzero(wrong)[0])} is not whole")

    def _check_vectors(self) -> None:
        """There are no more vectors than leaves, and each bounds one: tables by vector are no longer than the trees."""
        counts = self.vector_counts
        ends = np.cumsum(counts)
        tree = np.repeat(np.arange(len(self)), np.diff(self.indptr))
        unused = np.flatnonzero(counts > (np.diff(self.indptr) + 1) // 2)
        if not len(unused):
            used = np.zeros(counts.sum(), dtype=bool)
            leaves = np.flatnonzero(self.site < 0)
            used[(ends - counts)[tree[leaves]] - 1 - self.site[leaves]] = True
            unused = np.searchsorted(ends, np.flatnonzero(~used), side="right")
        if len(unused):
            owner = self._owner(self.indptr[unused[0]])
            raise ValueError(f"a price vector in the branching tree of {owner} bounds no leaf")

    def _owner(self, node: int) -> str:
        tree = int(np.searchsorted(self.indptr, node, side="right")) - 1
        return f"asset number {self.asset[tree]}"

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def vector_counts(self) -> np.ndarray:
        """(T,) int64 price vectors of each tree."""
        if not len(self):
            return np.zeros(0, dtype=np.int64)
        return -np.minimum.reduceat(self.site, self.indptr[:-1]).astype(np.int64)

    def serve_starts(self, demand_indptr: np.ndarray, n_sites: int) -> np.ndarray:
        """(T + 1,) int64: where in ``serve`` the prices of each tree begin, for demand with these row pointers (A + 1,)
        and this number of caches. Raises ValueError where an asset or site is not there or prices are missing."""
        if len(self) and self.asset[-1] >= len(demand_indptr) - 1:
            raise ValueError("branching names an asset that is not there")
        if (self.site >= n_sites).any():
            raise ValueError("branching names a cache that is not there")
        entries = demand_indptr[self.asset + 1] - demand_indptr[self.asset]
        starts = np.concatenate([[0], np.cumsum(self.vector_counts * entries)])
        if starts[-1] != len(self.serve):
            raise ValueError(f"branching needs {starts[-1]} serve prices and has {len(self.serve)}")
        return starts

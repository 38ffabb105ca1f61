"""Branching: for single assets, which sites store it is told apart case by case, each case with its prices."""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.model.arrays import frozen
from cdn.model.shares import Shares

WHOLE = -1
"""The group of a tree that is for all demand of its asset."""


@dataclass(frozen=True, eq=False)
class Branching:
    """T binary trees, M nodes in all, in preorder: for an asset one tree, or one for each of some groups of its demand
    entries.

    ``asset`` (T,) int32, and ``group`` (T,) int32, ``WHOLE`` for all of the asset's demand (the default): ascending by
    both, a whole tree alone. ``shares``: the groups, and how prices of caches are dealt out over them. ``indptr``
    (T + 1,) int64: nodes ``indptr[t]`` to ``indptr[t + 1]`` are tree t. ``site`` (M,) int32: the cache an inner node
    branches on; ``-1 - c`` at a leaf that the tree's price vector number c bounds. The child that follows an inner node
    has the asset stored at that cache, its other child has it not stored there. ``serve`` (K,) float32 cost credited to
    each demand entry of the tree's asset and group: tree after tree its vectors 0, 1, .., each with one price per
    entry. Leaves may share a vector; each vector bounds some leaf. Any prices prove a bound, so that rounding them to
    float32 takes next to nothing from it and halves what is by far the most of a large certificate.

    Groups without a tree have the serve prices that the asset's demand has anyway.

    Raises ValueError where the trees are not whole, a vector is not used or a price is not finite.
    """

    asset: np.ndarray
    indptr: np.ndarray
    site: np.ndarray
    serve: np.ndarray
    group: np.ndarray | None = None
    shares: Shares | None = None

    def __post_init__(self) -> None:
        for name, dtype in (("asset", np.int32), ("indptr", np.int64), ("site", np.int32), ("serve", np.float32)):
            values = frozen(getattr(self, name), dtype)
            if values.ndim != 1:
                raise ValueError(f"branching {name} must have one axis")
            object.__setattr__(self, name, values)
        self._check_owners()
        if len(self.indptr) != len(self.asset) + 1 or self.indptr[0] != 0 or self.indptr[-1] != len(self.site):
            raise ValueError("branching indptr does not fit the trees and nodes")
        if not np.isfinite(self.serve).all():
            raise ValueError("branching serve prices must be finite")
        self._check_trees()
        self._check_vectors()

    def _check_owners(self) -> None:
        """Assets ascend, and groups where an asset has several trees, none of them a whole one."""
        group = frozen(np.full(len(self.asset), WHOLE) if self.group is None else self.group, np.int32)
        object.__setattr__(self, "group", group)
        if group.shape != self.asset.shape:
            raise ValueError("a branching tree is of one group")
        n_groups = self.shares.n_groups if self.shares is not None else 0
        if ((group < WHOLE) | (group >= n_groups)).any():
            raise ValueError(f"branching names a group that is not there: there are {n_groups}")
        more = np.diff(self.asset)
        other_part = (more == 0) & (group[:-1] != WHOLE) & (np.diff(group) > 0)
        if (~((more > 0) | other_part)).any() or (self.asset[:1] < 0).any():
            raise ValueError("branching assets must ascend, and the groups of one asset")

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
        and this number of caches. Raises ValueError where an asset or site is not there, prices are missing."""
        if len(self) and self.asset[-1] >= len(demand_indptr) - 1:
            raise ValueError("branching names an asset that is not there")
        if (self.site >= n_sites).any():
            raise ValueError("branching names a cache that is not there")
        entries = demand_indptr[self.asset + 1] - demand_indptr[self.asset]
        if self.shares is not None:
            if len(self.shares.entry_group) != demand_indptr[-1]:
                raise ValueError(
                    f"branching has groups of {len(self.shares.entry_group)} demand entries, not {demand_indptr[-1]}"
                )
            entries = count_entries(self.asset, self.group, self.shares.entry_group, demand_indptr)
        starts = np.concatenate([[0], np.cumsum(self.vector_counts * entries)])
        if starts[-1] != len(self.serve):
            raise ValueError(f"branching needs {starts[-1]} serve prices and has {len(self.serve)}")
        return starts


@kernel
def count_entries(asset, group, entry_group, demand_indptr):
    """(T,) demand entries of each tree's asset and group, by the group (N,) of each entry."""
    counts = np.zeros(len(asset), dtype=np.int64)
    for t in range(len(asset)):
        for e in range(demand_indptr[asset[t]], demand_indptr[asset[t] + 1]):
            counts[t] += group[t] == WHOLE or entry_group[e] == group[t]
    return counts

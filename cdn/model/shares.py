"""Shares: the price of an asset at a cache, dealt out over groups of its demand: each is then a problem alone."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen


@dataclass(frozen=True, eq=False)
class Shares:
    """``entry_group`` (N,) int16: the group of each demand entry among those of its asset, from 0. K rows, ascending by
    asset, site and group: ``share`` (K,), 0 to 1, of the price of storing ``asset`` (K,) at cache ``site`` (K,) is
    charged to ``group`` (K,).

    Where an asset has no row for a cache, all of its price there is charged to the first group that the cache may serve
    or that tells it apart.

    Raises ValueError for other values, or rows in another order.
    """

    entry_group: np.ndarray
    asset: np.ndarray
    site: np.ndarray
    group: np.ndarray
    share: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "entry_group", frozen(self.entry_group, np.int16))
        for name in ("asset", "site", "group"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int32))
        object.__setattr__(self, "share", frozen(self.share, np.float64))
        rows = (self.asset, self.site, self.group, self.share)
        if self.entry_group.ndim != 1 or any(part.shape != (len(self.asset),) for part in rows):
            raise ValueError("shares must have one axis, and as many values in each column")
        if any((part < 0).any() for part in (self.entry_group, self.asset, self.site, self.group)):
            raise ValueError("assets, sites and groups of shares are counted from 0")
        if not ((self.share >= 0) & (self.share <= 1)).all():
            raise ValueError("a share is between 0 and 1")
        if (self.group >= self.n_groups).any():
            raise ValueError(f"shares of groups that no demand is in: there are {self.n_groups}")
        if not self._ascend():
            raise ValueError("shares must ascend by asset, site and group")

    def _ascend(self) -> bool:
        """Whether each row comes after the one before it."""
        later, equal = np.zeros(max(len(self) - 1, 0), dtype=bool), np.ones(max(len(self) - 1, 0), dtype=bool)
        for column in (self.asset, self.site, self.group):
            later |= equal & (column[1:] > column[:-1])
            equal &= column[1:] == column[:-1]
        return bool(later.all())

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def n_groups(self) -> int:
        return int(self.entry_group.max(initial=-1)) + 1

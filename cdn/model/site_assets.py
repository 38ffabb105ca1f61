"""Pairs (site, asset), sparse and asset-major: what is stored, pinned or excluded where."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import csr_indptr, frozen, rows_of


@dataclass(frozen=True, eq=False)
class SiteAssets:
    """A set of (site, asset) pairs. ``indptr`` (A + 1,) int64; ``site`` (P,) int32, ascending within an asset."""

    indptr: np.ndarray
    site: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "indptr", frozen(self.indptr, np.int64))
        object.__setattr__(self, "site", frozen(self.site, np.int32))
        if self.indptr[-1] != len(self.site):
            raise ValueError("indptr does not fit the pairs")

    @classmethod
    def from_pairs(cls, site, asset, n_assets: int) -> "SiteAssets":
        """Builds the set from pairs in any order; repeated pairs count once."""
        site, asset = np.asarray(site, dtype=np.int64), np.asarray(asset, dtype=np.int64)
        width = int(site.max()) + 1 if len(site) else 1
        keys = np.unique(asset * width + site)
        return cls(csr_indptr(keys // width, n_assets), keys % width)

    @classmethod
    def empty(cls, n_assets: int) -> "SiteAssets":
        return cls(np.zeros(n_assets + 1, dtype=np.int64), np.zeros(0, dtype=np.int32))

    @classmethod
    def from_dense(cls, table: np.ndarray) -> "SiteAssets":
        """From a bool table (S, A)."""
        asset, site = np.nonzero(np.asarray(table).T)
        return cls.from_pairs(site, asset, np.asarray(table).shape[1])

    def __len__(self) -> int:
        return len(self.site)

    @property
    def n_assets(self) -> int:
        return len(self.indptr) - 1

    @property
    def asset(self) -> np.ndarray:
        """(P,) asset of every pair."""
        return rows_of(self.indptr)

    def dense(self, n_sites: int) -> np.ndarray:
        """The set as a bool table (S, A)."""
        table = np.zeros((n_sites, self.n_assets), dtype=bool)
        table[self.site, self.asset] = True
        return table

    def keys(self, n_sites: int) -> np.ndarray:
        """(P,) ``asset * n_sites + site``, ascending: for set arithmetic with numpy."""
        return self.asset.astype(np.int64) * n_sites + self.site

    def assets_of(self, site: int) -> np.ndarray:
        """Assets paired with one site, ascending."""
        return self.asset[self.site == site]

    def minus(self, other: "SiteAssets", n_sites: int) -> "SiteAssets":
        """The pairs that are not in ``other``."""
        keys = np.setdiff1d(self.keys(n_sites), other.keys(n_sites), assume_unique=True)
        return SiteAssets.from_pairs(keys % n_sites, keys // n_sites, self.n_assets)

    def union(self, other: "SiteAssets") -> "SiteAssets":
        """The pairs of both."""
        return SiteAssets.from_pairs(
            np.concatenate([self.site, other.site]), np.concatenate([self.asset, other.asset]), self.n_assets
        )

    def contains(self, site: np.ndarray, asset: np.ndarray, n_sites: int) -> np.ndarray:
        """Bool for each (site, asset): is the pair in the set?"""
        keys = self.keys(n_sites)
        wanted = np.asarray(asset, dtype=np.int64) * n_sites + np.asarray(site)
        if not len(keys):
            return np.zeros(len(wanted), dtype=bool)
        return keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted

    def bytes_per_site(self, size_bytes: np.ndarray, n_sites: int) -> np.ndarray:
        """(S,) bytes of the pairs of each site."""
        return np.bincount(self.site, weights=size_bytes[self.asset], minlength=n_sites)

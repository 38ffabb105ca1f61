"""Pairs (site, asset), sparse and asset-major: what is stored, pinned or excluded where."""

from dataclasses import dataclass
from functools import cached_property

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
    def at_all_sites(cls, asset: np.ndarray, n_sites: int, n_assets: int) -> "SiteAssets":
        """Each of the assets, ascending, at each of the sites."""
        counts = np.zeros(n_assets, dtype=np.int64)
        counts[asset] = n_sites
        site = np.tile(np.arange(n_sites, dtype=np.int32), len(asset))
        return cls(np.concatenate([[0], np.cumsum(counts)]), site)

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
        starts, asset = self._by_site
        return asset[starts[site] : starts[site + 1]] if site + 1 < len(starts) else asset[:0]

    @cached_property
    def _by_site(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the assets of each site start, and the assets, site by site: asked for once per site by many."""
        asset = self.asset[np.argsort(self.site, kind="stable")]
        asset.flags.writeable = False
        return np.concatenate([[0], np.cumsum(np.bincount(self.site))]), asset

    def minus(self, other: "SiteAssets", n_sites: int) -> "SiteAssets":
        """The pairs that are not in ``other``."""
        keys = np.setdiff1d(self.keys(n_sites), other.keys(n_sites), assume_unique=True)
        return SiteAssets.from_pairs(keys % n_sites, keys // n_sites, self.n_assets)

    def union(self, other: "SiteAssets") -> "SiteAssets":
        """The pairs of both."""
        n_sites = max(int(pairs.site.max(initial=0)) for pairs in (self, other)) + 1
        # A stable sort takes two ascending halves in one linear merge.
        keys = np.sort(np.concatenate([self.keys(n_sites), other.keys(n_sites)]), kind="stable")
        keys = keys[np.diff(keys, prepend=-1) > 0]
        return SiteAssets(csr_indptr(keys // n_sites, self.n_assets), keys % n_sites)

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

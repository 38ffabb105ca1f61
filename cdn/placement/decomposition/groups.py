"""Groups of regions that have few caches in common: blocks fall apart into them when the shared caches' prices are
dealt out."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from cdn.placement.decomposition.tables import BlockTables, candidate_regions

LARGEST_GROUP, LARGEST_SHARE = 20, 0.04
"""Regions of a group, and their share of all: in a large network larger groups leave fewer caches to agree on."""
LEAST_OWN_SHARE = 0.6
"""Groups are worth while where at least this share of the caches serves one group alone."""


def region_groups(tables: BlockTables) -> np.ndarray:
    """(R,) int32 group of each region, numbered as they come; all 0 where the regions do not fall apart.

    As long as more than the larger of ``LARGEST_GROUP`` and ``LARGEST_SHARE`` of the regions hang together, the caches
    that serve most of them are taken out.
    """
    n_regions = len(tables.first_candidate) - 1
    largest = max(LARGEST_GROUP, LARGEST_SHARE * n_regions)
    region, site = candidate_regions(tables), tables.candidate_site
    group, waiting = np.zeros(n_regions, dtype=np.int64), [0]
    while waiting:
        here = waiting.pop()
        inside = group[region] == here
        serves = np.bincount(site[inside])
        for most in np.unique(serves[serves > 1])[::-1]:
            kept = inside & (serves[np.where(inside, site, 0)] < most)
            labels = _connected(region[kept], site[kept], n_regions)[group == here]
            if len(np.unique(labels)) > 1:
                parts = group.max() + 1 + np.unique(labels, return_inverse=True)[1]
                group[group == here] = parts
                waiting += np.flatnonzero(np.bincount(parts) > largest).tolist()
                break
    own = _own_caches(group, region, site)
    apart = own >= LEAST_OWN_SHARE * len(np.unique(site))
    return _numbered(group) if apart else np.zeros(n_regions, dtype=np.int32)


def _connected(region: np.ndarray, site: np.ndarray, n_regions: int) -> np.ndarray:
    """(R,) label of the regions that hang together by these pairs with caches."""
    size = n_regions + int(site.max(initial=-1)) + 1
    links = sp.csr_array((np.ones(len(region)), (region, n_regions + site)), shape=(size, size))
    return connected_components(links, directed=False)[1][:n_regions]


def home_groups(tables: BlockTables, region_group: np.ndarray) -> np.ndarray:
    """(S,) int32 the first group that each cache may serve; 0 where it may serve none."""
    home = np.full(len(tables.storage_bytes), np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(home, tables.candidate_site, region_group[candidate_regions(tables)])
    return np.where(home < np.iinfo(np.int32).max, home, 0).astype(np.int32)


def _own_caches(group: np.ndarray, region: np.ndarray, site: np.ndarray) -> int:
    """How many caches serve regions of one group only."""
    pairs = np.unique(np.stack([site, group[region]]), axis=1)
    return int((np.bincount(pairs[0]) == 1).sum())


def _numbered(group: np.ndarray) -> np.ndarray:
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]

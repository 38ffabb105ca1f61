"""Sets of (site, asset) pairs against Python's own sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.model.site_assets import SiteAssets

N_SITES, N_ASSETS = 4, 6
PAIRS = st.lists(st.tuples(st.integers(0, N_SITES - 1), st.integers(0, N_ASSETS - 1)))


def of(pairs) -> SiteAssets:
    site, asset = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return SiteAssets.from_pairs(site, asset, N_ASSETS)


def pairs_of(pairs: SiteAssets) -> set[tuple[int, int]]:
    return set(zip(pairs.site.tolist(), pairs.asset.tolist(), strict=True))


@given(PAIRS, PAIRS)
def test_set_arithmetic(first, second):
    a, b = of(first), of(second)
    assert pairs_of(a) == set(first) and len(a) == len(set(first))
    assert pairs_of(a.union(b)) == set(first) | set(second)
    assert pairs_of(a.minus(b, N_SITES)) == set(first) - set(second)
    assert a.contains(b.site, b.asset, N_SITES).tolist() == [
        pair in set(first) for pair in zip(b.site.tolist(), b.asset.tolist(), strict=True)
    ]


@given(PAIRS)
def test_views_agree(pairs):
    held = of(pairs)
    assert held.n_assets == N_ASSETS
    assert (np.diff(held.keys(N_SITES)) > 0).all()
    assert pairs_of(SiteAssets.from_dense(held.dense(N_SITES))) == set(pairs)
    for site in range(N_SITES):
        assert held.assets_of(site).tolist() == sorted({asset for s, asset in pairs if s == site})
    size = np.arange(1, N_ASSETS + 1)
    expected = [sum(size[asset] for s, asset in set(pairs) if s == site) for site in range(N_SITES)]
    assert held.bytes_per_site(size, N_SITES).tolist() == expected


@given(st.sets(st.integers(0, N_ASSETS - 1)))
def test_all_sites(assets):
    everywhere = SiteAssets.at_all_sites(np.array(sorted(assets), dtype=np.int64), N_SITES, N_ASSETS)
    assert pairs_of(everywhere) == {(site, asset) for site in range(N_SITES) for asset in assets}
    assert everywhere.assets_of(N_SITES + 3).tolist() == []


def test_nothing_is_a_set():
    nothing = SiteAssets.empty(N_ASSETS)
    assert len(nothing) == 0
    assert nothing.contains(np.array([1]), np.array([1]), N_SITES).tolist() == [False]
    assert nothing.bytes_per_site(np.ones(N_ASSETS), N_SITES).tolist() == [0, 0, 0, 0]


def test_it_is_frozen_and_its_parts_fit():
    held = of([(1, 2)])
    with pytest.raises(ValueError):
        held.site[0] = 3
    with pytest.raises(AttributeError):
        held.site = np.array([3])
    with pytest.raises(ValueError):
        SiteAssets(np.array([0, 2]), np.array([1]))

"""The hybrid's pins: the most valuable of a placement, within the share, rules first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.replay_examples import listed_topology, problem_of

from cdn.evaluation import marginal_saving
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.site_assets import SiteAssets
from cdn.simulation import trim_placement


def one_cache(sizes, asked_bytes, storage, **rules):
    """One cache that saves 1 per byte served; ``asked_bytes`` per asset."""
    topology = listed_topology(["edge"], [storage], [[1.0], [2.0]])
    catalog = Catalog.of_sizes([f"x{a}" for a in range(len(sizes))], sizes, **rules)
    n = len(sizes)
    demand = Demand.from_entries(topology.region_index, catalog.asset_index, [0] * n, range(n), [1] * n, asked_bytes)
    return build_problem(Network(topology), catalog, demand)


def everything(problem):
    return SiteAssets.from_dense(np.ones((problem.n_caches, len(problem.asset_index)), dtype=bool))


def test_most_valuable_per_byte_first_and_what_does_not_fit_is_passed_over():
    """Sizes 4 3 2 2 1, saving 40 24 18 2 1: 10, 8, 9, 1, 1 per byte. In 0.7 of 10 bytes: x0 (4), then x2 (2); x1 does
    not fit into the last byte, nor does x3, x4 does."""
    problem = one_cache([4, 3, 2, 2, 1], [40, 24, 18, 2, 1], storage=10)
    assert trim_placement(problem, everything(problem), 0.7).asset.tolist() == [0, 2, 4]


def test_pins_come_first_whatever_they_save():
    """x1 must be there; in 0.5 of 8 bytes it leaves room for the 1 byte of x2 but not for x0."""
    problem = one_cache([3, 3, 1], [90, 0, 10], storage=8, pinned_sites={1: ("s0",)})
    assert trim_placement(problem, everything(problem), 0.5).asset.tolist() == [1, 2]


def test_pins_that_do_not_fit_the_share_are_an_error():
    problem = one_cache([3, 3], [1, 1], storage=8, pinned_sites={0: ("s0",), 1: ("s0",)})
    with pytest.raises(ValueError, match="site 's0' is pinned 6 bytes, more than the 4"):
        trim_placement(problem, everything(problem), 0.5)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_trimmed_is_a_part_that_fits_and_leaves_out_nothing_that_would(seed, share):
    rng = np.random.default_rng(seed)
    n_caches, n_assets = int(rng.integers(1, 4)), int(rng.integers(1, 12))
    cost = np.vstack([rng.integers(0, 4, (n_caches, 2)), [[4, 4]]])
    topology = listed_topology(["edge"] * n_caches, rng.integers(0, 60, n_caches).tolist(), cost)
    catalog = Catalog.of_sizes([f"x{a}" for a in range(n_assets)], rng.integers(1, 20, n_assets))
    problem = problem_of(topology, catalog)
    n = 2 * n_assets
    problem = problem.replace(
        demand=Demand.from_entries(topology.region_index, catalog.asset_index, np.tile([0, 1], n_assets),
                                   np.repeat(np.arange(n_assets), 2), np.ones(n), rng.integers(0, 9, n)),
        servable=np.ones(n, dtype=bool))
    stored = SiteAssets.from_dense(rng.random((n_caches, n_assets)) < 0.6)
    kept = trim_placement(problem, stored, share)
    left = problem.storage_bytes * share - kept.bytes_per_site(catalog.size_bytes, n_caches)
    out = stored.minus(kept, n_caches)
    assert (left >= 0).all()
    assert len(kept.minus(stored, n_caches)) == 0 and len(kept) + len(out) == len(stored)
    assert (catalog.size_bytes[out.asset] > left[out.site]).all()
    # At each site the best pair of all is in, unless it is larger than the share of the site.
    density = marginal_saving(problem, stored) / catalog.size_bytes[stored.asset]
    for s in range(n_caches):
        mine = np.flatnonzero(stored.site == s)
        if len(mine):
            best = mine[density[mine] == density[mine].max()]
            fits = catalog.size_bytes[stored.asset[best]] <= problem.storage_bytes[s] * share
            is_in = kept.contains(stored.site[best], stored.asset[best], n_caches)
            assert is_in.any() or not fits.any()

"""Routes by kind of asset are those of the assets one by one; kinds by hand."""

from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.replay_examples import pairs, problem_of, small_catalog, small_topology
from simulation.test_replaying import fitting_pins, networks

from cdn.model.site_assets import SiteAssets
from cdn.simulation import routes as routing
from cdn.simulation.kinds import kinds_of
from cdn.simulation.routes import build_routes, route_requests


@settings(deadline=None, max_examples=200)
@given(network=networks(), seed=st.integers(0, 2**32))
def test_kinds_give_the_routes_of_their_assets(network, seed):
    topology, catalog, log, wanted = network
    rng = np.random.default_rng(seed)
    problem = problem_of(topology, catalog)
    truth = SiteAssets.from_dense(rng.random((problem.n_caches, len(catalog))) < 0.3) if rng.random() < 0.5 else None
    routes = build_routes(problem, catalog, fitting_pins(problem, wanted, 0.0), truth)
    by_kind, one_by_one = (routes_with(cells, routes, log) for cells in (10**6, 0))
    assert by_kind == one_by_one
    kind, example = kinds_of(routes, len(catalog))
    assert kind[example].tolist() == list(range(len(example)))


def routes_with(table_cells_per_request, routes, log):
    with mock.patch.object(routing, "TABLE_CELLS_PER_REQUEST", table_cells_per_request):
        return route_requests(routes, log.region, log.asset).tolist()


def test_kinds_by_hand():
    """a and c are pinned alike, b nowhere, d at another cache. No more than two are asked for: there are three."""
    topology, catalog = small_topology(), small_catalog()
    routes = build_routes(problem_of(topology, catalog), catalog, pairs("e1 a, e1 c, e2 d", topology, catalog), None)
    kind, example = kinds_of(routes, 3)
    assert kind[:4].tolist() == [0, 1, 0, 2] and example.tolist() == [0, 1, 3]
    assert kinds_of(routes, 2) is None

"""The problem: what it is put together from, and which contradictions it refuses."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from instances import problem_of, two_edges_one_mid

from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.fill_plan import StoredNow
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.topology import Appliance

TOPOLOGY = two_edges_one_mid(storage=(10, 10, 20))
DAY = pd.Timestamp("2012-12-28")


def build(topology=TOPOLOGY, stored=None, day=None, asked=(("r1", "a"), ("r2", "a"), ("r1", "b")), **rules):
    catalog = Catalog.of_sizes(["a", "b", "c"], [4, 8, 20], **rules)
    region = topology.region_index.positions_of([r for r, _ in asked])
    asset = catalog.asset_index.positions_of([a for _, a in asked])
    demand = Demand.from_entries(
        topology.region_index, catalog.asset_index, region, asset, [1] * len(asked), [1] * len(asked)
    )
    return build_problem(Network(topology), catalog, demand, stored, day)


def pairs(of):
    return list(zip(of.site.tolist(), of.asset.tolist(), strict=True))


def test_limits_are_the_sums_over_each_sites_appliances():
    net = two_edges_one_mid()
    appliances = (
        Appliance("1", "m", 5, 10.0, 8.0, (0, 1)),
        Appliance("2", "m", 6, 20.0, 16.0, (0, 1)),
        Appliance("3", "e2", 7),
    )
    problem = build(topology=type(net)(net.sites, appliances, net.regions, net.links))
    assert problem.storage_bytes.tolist() == [0, 7, 11]
    assert problem.egress_bps.tolist() == [0, math.inf, 30]
    assert problem.fill_bytes.tolist() == [0, math.inf, 60 * 3]
    assert problem.fill_cost_per_byte.tolist() == [4, 4, 3]


def test_rules_become_pairs():
    problem = build(pinned_sites={0: ("e2", "m")}, excluded_sites={1: ("e1",), 2: ("m",)}, allowed_regions={0: ("r2",)})
    assert pairs(problem.pinned) == [(1, 0), (2, 0)]
    assert pairs(problem.excluded) == [(0, 1), (2, 2)]
    assert problem.servable.tolist() == [False, True, True]


def test_what_is_stored_by_appliances_is_stored_by_their_sites():
    problem = build(stored=StoredNow([2, 0], [2, 0]))
    assert pairs(problem.stored) == [(0, 0), (2, 2)]


def test_an_asset_out_of_licence_is_kept_from_every_site():
    """b's licence ends during the day; on the day before it covers it."""
    never, end = np.datetime64("NaT", "us"), np.datetime64("2012-12-28T12:00", "us")
    until = {"licence_end": np.array([never, end, never])}
    assert pairs(build(day=DAY, **until).excluded) == [(0, 1), (1, 1), (2, 1)]
    assert pairs(build(day=DAY - pd.Timedelta(days=1), **until).excluded) == []
    assert pairs(build(**until).excluded) == []


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"pinned_sites": {0: ("x",)}}, "asset 'a' names 'x', which is no edge or mid site"),
        ({"pinned_sites": {1: ("e1", "o")}}, "asset 'b' names 'o', which is no edge or mid site"),
        ({"excluded_sites": {0: ("o",)}}, "asset 'a' names 'o', which is no edge or mid site"),
        (
            {"pinned_sites": {0: ("e1",)}, "excluded_sites": {0: ("e1",)}},
            "asset 'a' is both pinned to and kept from site 'e1'",
        ),
        ({"pinned_sites": {2: ("e1",)}}, "site 'e1' is pinned 20 bytes but stores 10"),
        ({"pinned_sites": {0: ("e1",), 1: ("e1",)}}, "site 'e1' is pinned 12 bytes but stores 10"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules, message):
    with pytest.raises(ValueError, match=message):
        build(**rules)


def test_storable_is_what_fits_tonight():
    """e1 stores 10 and takes in 5 tonight: a (4) fits; b (8) only if it is there already or pinned; c (20) never."""
    problem = build()
    fill = np.array([5.0, math.inf, math.inf])
    assert problem.replace(fill_bytes=fill).storable(0).tolist() == [True, False, False]
    assert problem.storable(0).tolist() == [True, True, False]
    assert build(stored=StoredNow([0], [1])).replace(fill_bytes=fill).storable(0).tolist() == [True, True, False]
    pinned = build(pinned_sites={1: ("e1",)}).replace(fill_bytes=fill)
    assert pinned.storable(0).tolist() == [True, True, False]
    assert pinned.usable_fill_bytes.tolist() == [8, math.inf, math.inf]
    assert build(excluded_sites={0: ("e1",)}).storable(0).tolist() == [False, True, False]


def test_a_cache_dearer_than_the_origin_does_not_serve():
    problem = build()
    dear = problem.cost_per_byte.copy()
    dear[0] = [4, 4.5]
    assert problem.replace(cost_per_byte=dear).may_serve.tolist() == [[True, False], [True, True], [True, True]]


@pytest.mark.parametrize(
    "change",
    [
        {"cost_per_byte": np.zeros((3, 2))},
        {"cost_per_byte": np.full((4, 2), np.inf)},
        {"storage_bytes": [-1, 1, 1]},
        {"egress_bps": [np.nan, 1, 1]},
        {"fill_cost_per_byte": [-0.5, 0, 0]},
    ],
)
def test_numbers_that_mean_nothing_are_refused(change):
    problem = problem_of(TOPOLOGY, {"a": 1}, [("r1", "a", 1.0)])
    with pytest.raises(ValueError):
        problem.replace(**change)


def test_a_what_if_is_a_new_problem():
    problem = build()
    doubled = problem.replace(storage_bytes=problem.storage_bytes * 2)
    assert doubled.storage_bytes.tolist() == [20, 20, 40]
    assert problem.storage_bytes.tolist() == [10, 10, 20]
    with pytest.raises(FrozenInstanceError):
        problem.storage_bytes = doubled.storage_bytes
    with pytest.raises(ValueError):
        problem.storage_bytes[0] = 1


def test_a_catalogs_arrays_fit_and_are_frozen():
    with pytest.raises(ValueError, match="positive"):
        Catalog.of_sizes(["a"], [0])
    with pytest.raises(ValueError, match="size_bytes has shape"):
        Catalog.of_sizes(["a", "b"], [1])
    catalog = Catalog.of_sizes(["a"], [1])
    with pytest.raises(ValueError):
        catalog.size_bytes[0] = 2

"""What is compared: names, placements, and the real log's known hit ratios."""

import numpy as np
import pandas as pd
import pytest
from simulation.replay_examples import (
    REQUESTS,
    listed_topology,
    log_of,
    no_demand,
    pairs,
    small_catalog,
    small_topology,
)

from cdn.errors import UnknownNameError
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.request_log import RequestLog
from cdn.simulation import demand_of_log, replay, simulate_all, summarise, trim_placement


@pytest.fixture
def case():
    topology, catalog = small_topology(storage_scale=2), small_catalog()
    log = log_of(REQUESTS, topology, catalog)
    problem = build_problem(Network(topology), catalog, demand_of_log(log))
    return problem, topology, catalog, log, pairs("e1 a, e1 b, e2 a, e2 c, m b, m c", topology, catalog)


def test_every_strategy_is_the_replay_it_stands_for(case):
    *inputs, stored = case
    problem = inputs[0]
    names = ["hybrid", "lru", "pinned", "clairvoyant"]
    placements = {"pinned": stored, "clairvoyant": stored.minus(pairs("m b", *inputs[1:3]), 3)}
    replays = simulate_all(*inputs, names, placements, reactive_share=0.25, hybrid_policy="fifo")
    expected = {
        "hybrid": replay(*inputs, pinned=trim_placement(problem, stored, 0.75), policy="fifo", reactive_share=0.25),
        "lru": replay(*inputs, policy="lru"),
        "pinned": replay(*inputs, pinned=stored),
        "clairvoyant": replay(*inputs, pinned=placements["clairvoyant"]),
    }
    assert list(replays) == names
    for name in names:
        assert replays[name].served_by.tolist() == expected[name].served_by.tolist()
    assert len({tuple(replays[name].served_by) for name in names}) == len(names)


def test_a_placement_planned_for_the_hybrid_is_taken_as_it_is(case):
    *inputs, stored = case
    own = pairs("e1 d, m d", *inputs[1:3])
    replays = simulate_all(*inputs, ["hybrid"], {"pinned": stored, "hybrid": own}, reactive_share=0.5)
    expected = replay(*inputs, pinned=own, policy="lru", reactive_share=0.5)
    assert replays["hybrid"].served_by.tolist() == expected.served_by.tolist()


@pytest.mark.parametrize("name", ["pinned", "hybrid", "belady"])
def test_a_strategy_without_a_placement_is_named(case, name):
    *inputs, _ = case
    with pytest.raises(UnknownNameError, match=f"unknown strategy '{name}'; known: 2q, arc, clock, fifo"):
        simulate_all(*inputs, [name], {})


@pytest.fixture(scope="module")
def cran_us(shared_data):
    """The US part of the mirror's log: asset = package and version, size = the largest anyone anywhere was sent."""
    rows = pd.read_parquet(shared_data / "cran_mirror_requests_2012-2013_8days.parquet",
                           columns=["timestamp", "size", "package", "version", "country"])
    rows = rows.dropna(subset=["package", "version"]).sort_values("timestamp", kind="stable")
    rows["asset"] = rows["package"] + "_" + rows["version"]
    rows["largest"] = rows.groupby("asset")["size"].transform("max")
    rows = rows[rows["country"] == "US"]
    asset, ids = pd.factorize(rows["asset"])
    catalog = Catalog.of_sizes(ids, rows.groupby(asset)["largest"].first().to_numpy(dtype=np.int64))
    return rows, asset, catalog


@pytest.mark.parametrize("share, hit_ratio", [(0.05, 0.345), (0.2, 0.464), (1.0, 0.599)])
def test_lru_on_the_real_log_hits_as_measured_elsewhere(cran_us, share, hit_ratio):
    """The data's own README: footprint 13.15 GB; request hit ratio 0.345 in 5 % of it, 0.464 in 20 %, 0.599 in all."""
    rows, asset, catalog = cran_us
    assert catalog.footprint_bytes == pytest.approx(13.15e9, abs=5e6)
    topology = listed_topology(["edge"], [round(share * catalog.footprint_bytes)], [[1.0], [2.0]])
    log = RequestLog(topology.region_index, catalog.asset_index,
                     rows["timestamp"].to_numpy().astype("datetime64[us]").astype(np.int64), np.zeros(len(rows)), asset,
                     rows["size"].to_numpy(dtype=np.int64))
    problem = build_problem(Network(topology), catalog, no_demand(topology.region_index, catalog.asset_index))
    metrics = summarise(problem, topology, log, replay(problem, topology, catalog, log, policy="lru"))
    assert metrics.request_hit_ratio == pytest.approx(hit_ratio, abs=5e-4)
    assert metrics.bytes == rows["size"].sum()


def test_problems_of_a_what_if_replay_too(case):
    """A lost site is a value: e1's costs infinite. Nobody is served by it, east's misses start at the mid."""
    problem, topology, catalog, log, stored = case
    lost = problem.cost_per_byte.copy()
    lost[0] = np.inf
    problem = problem.replace(cost_per_byte=lost)
    for result in simulate_all(problem, topology, catalog, log, ["lru", "pinned"], {"pinned": stored}).values():
        assert 0 not in result.served_by
        assert 2 in result.served_by[log.region == 0]

"""The topology that goes with made-up regions."""

import numpy as np
import pytest
from generator.sample_parameters import small

from cdn.files.topologies import read_topology, write_topology
from cdn.generator.networks import EDGE_STORAGE, MID_STORAGE, made_up_topology
from cdn.generator.samples import draw_sample
from cdn.model.network import Network


@pytest.mark.parametrize("n_regions", [1, 3, 10, 25])
def test_it_is_sound_and_the_origin_is_dearest(n_regions):
    topology = made_up_topology(draw_sample(small(n_regions=n_regions), np.random.default_rng(0)))
    cost = Network(topology).cost_per_byte
    may_serve = np.isfinite(cost[:-1])
    assert (cost[:-1][may_serve] < np.broadcast_to(cost[-1], cost[:-1].shape)[may_serve]).all()
    kinds = np.array([site.kind for site in topology.sites])
    assert (kinds == "edge").sum() == -(-7 * n_regions // 10)
    assert (kinds == "mid").sum() == -(-n_regions // 10)
    assert may_serve[kinds[:-1] == "edge"].sum(axis=1).tolist() == [1] * int((kinds == "edge").sum())
    assert may_serve[kinds[:-1] == "mid"].all()


def test_storage_is_a_share_of_the_footprint():
    sample = draw_sample(small(n_regions=10), np.random.default_rng(0))
    shares = {a.site_id: a.storage_bytes / sample.catalog.footprint_bytes for a in made_up_topology(sample).appliances}
    assert shares["mid-01"] == pytest.approx(MID_STORAGE)
    assert shares["edge-region-001"] == pytest.approx(EDGE_STORAGE)


def test_it_survives_being_written_and_read(tmp_path):
    topology = made_up_topology(draw_sample(small(n_regions=12), np.random.default_rng(0)))
    write_topology(topology, tmp_path / "topology.toml")
    again = read_topology(tmp_path / "topology.toml")
    assert [a.storage_bytes for a in again.appliances] == [a.storage_bytes for a in topology.appliances]
    for rate in ("egress_bps", "fill_bps"):
        rates = [getattr(appliance, rate) for appliance in topology.appliances]
        assert [getattr(appliance, rate) for appliance in again.appliances] == pytest.approx(rates)
    assert again.regions == topology.regions
    assert Network(again).cost_per_byte == pytest.approx(Network(topology).cost_per_byte, rel=1e-9)

"""A plan folder verifies; one altered row, price or number does not."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from instances import two_edges_one_mid

from cdn.errors import DataError
from cdn.evaluation import lower_bound
from cdn.files.certificates import read_certificate, write_certificate
from cdn.files.plan_folders import read_folder_inputs, read_plan_inputs, write_plan_folder
from cdn.files.schema import read_raw, write_table
from cdn.files.topologies import write_topology
from cdn.model.branching import Branching
from cdn.planning import gap_of, plan_placement
from cdn.verification import verify_folder


@pytest.fixture
def folder(tmp_path):
    """Twelve assets of 1..12 bytes asked for in both regions; caches of 20, 15 and 30."""
    rng = np.random.default_rng(3)
    write_topology(two_edges_one_mid((20, 15, 30)), tmp_path / "t.toml")
    assets = [f"=x{a}" for a in range(12)]
    pd.DataFrame({"asset_id": assets, "title_id": assets, "size_bytes": np.arange(1, 13)}).to_csv(
        tmp_path / "c.csv", index=False
    )
    demand = pd.DataFrame(
        {
            "region_id": np.repeat(["r1", "r2"], 12),
            "asset_id": assets * 2,
            "requests": rng.integers(1, 50, 24).astype(float),
        }
    )
    demand["bytes"] = demand["requests"] * np.tile(np.arange(1, 13), 2)
    write_table(demand, tmp_path / "d.parquet")
    inputs = read_plan_inputs(tmp_path / "t.toml", tmp_path / "c.csv", tmp_path / "d.parquet", None, None)
    problem = inputs.build_problem()
    planned = plan_placement(problem, "lp")
    plan = tmp_path / "plan"
    plan.mkdir()
    write_plan_folder(plan, inputs, problem, planned.placement, planned.certificate)
    return plan


def failed(folder) -> set[str]:
    return {check.name for check in verify_folder(folder) if not check.holds}


def test_an_honest_plan_holds(folder):
    checks = {check.name: check for check in verify_folder(folder)}
    assert all(check.holds for check in checks.values())
    assert {"storage", "cost", "lower bound", "gap", "digests", "pinned"} <= set(checks)


def test_a_changed_placement_row_is_caught_by_more_than_the_digest(folder):
    frame = read_raw(folder / "placement.parquet")
    stored = set(zip(frame["site_id"], frame["asset_id"], strict=True))
    other = next(f"=x{a}" for a in range(11, -1, -1) if ("e1", f"=x{a}") not in stored)
    frame.loc[frame.index[frame["site_id"] == "e1"][0], "asset_id"] = other
    write_table(frame, folder / "placement.parquet")
    assert "digests" in failed(folder) and failed(folder) & {"cost", "storage", "delivery cost"}


def test_an_added_row_breaks_storage(folder):
    frame = read_raw(folder / "placement.parquet")
    stored = set(zip(frame["site_id"], frame["asset_id"], strict=True))
    extra = [("e2", f"=x{a}") for a in range(12) if ("e2", f"=x{a}") not in stored]
    write_table(pd.concat([frame, pd.DataFrame(extra, columns=["site_id", "asset_id"])]), folder / "placement.parquet")
    assert "storage" in failed(folder)


@pytest.mark.parametrize("field", ["cost", "delivery_cost", "lower_bound", "gap"])
def test_a_better_claim_is_caught(folder, field):
    path = folder / "certificate.json"
    document = json.loads(path.read_text())
    document[field] = document[field] * 1.001 if field == "lower_bound" else document[field] * 0.9 + 1e-4
    path.write_text(json.dumps(document))
    assert failed(folder)


def test_prices_that_prove_less_are_caught(folder):
    path = folder / "certificate.json"
    document = json.loads(path.read_text())
    assert document["prices"]["storage_per_byte"]
    document["prices"]["storage_per_byte"] = {
        site: price * 3 for site, price in document["prices"]["storage_per_byte"].items()
    }
    path.write_text(json.dumps(document))
    assert "lower bound" in failed(folder)


def with_branching(folder) -> None:
    """The folder's plan with a certificate that tells apart, for every asset, whether e1 stores it; both cases have the
    prices the asset had, which prove at least as much."""
    problem = read_folder_inputs(folder).build_problem()
    certificate, digests = read_certificate(folder, problem)
    prices, n_assets = certificate.prices, len(problem.asset_index)
    nodes = np.tile([0, -1, -1], n_assets)
    branching = Branching(np.arange(n_assets), 3 * np.arange(n_assets + 1), nodes, prices.serve)
    prices = replace(prices, serve=np.zeros_like(prices.serve), branching=branching)
    certificate = replace(certificate, prices=prices, lower_bound=lower_bound(problem, prices))
    certificate = replace(certificate, gap=gap_of(certificate.cost, certificate.lower_bound))
    write_certificate(certificate, problem, folder, [folder / name for name in digests if "prices" not in name])


def test_branching_is_verified(folder):
    before = json.loads((folder / "certificate.json").read_text())["lower_bound"]
    with_branching(folder)
    document = json.loads((folder / "certificate.json").read_text())
    assert document["lower_bound"] >= before * (1 - 1e-12)
    assert {"branching_nodes.parquet", "branching_prices.parquet"} <= document["digests"].keys()
    checks = {check.name: check for check in verify_folder(folder)}
    assert all(check.holds for check in checks.values()) and "12 assets case by case" in checks["lower bound"].detail


@pytest.mark.parametrize("name", ["branching_prices.parquet", "branching_nodes.parquet"])
def test_changed_branching_is_caught_by_more_than_the_digest(folder, name):
    """Other credits, or a tree cut down to one case."""
    with_branching(folder)
    frame = read_raw(folder / name)
    if name == "branching_prices.parquet":
        write_table(frame * 0.5, folder / name)
    else:
        write_table(frame.iloc[2:], folder / name)
        prices = read_raw(folder / "branching_prices.parquet")
        write_table(prices * 0.5, folder / "branching_prices.parquet")
    assert failed(folder) >= {"digests", "lower bound"}


def test_a_changed_input_is_caught(folder):
    (folder / "inputs" / "topology.toml").write_text(
        (folder / "inputs" / "topology.toml").read_text().replace("3000000000.0", "2000000000.0")
    )
    assert "digests" in failed(folder)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"method": 1', '{"prices": []}'])
def test_a_torn_certificate_is_refused(folder, text):
    (folder / "certificate.json").write_text(text)
    with pytest.raises(DataError, match="certificate"):
        verify_folder(folder)


def test_an_unknown_site_is_named_with_its_row(folder):
    frame = read_raw(folder / "placement.parquet")
    frame.loc[frame.index[2], "site_id"] = "<b>nowhere</b>"
    write_table(frame, folder / "placement.parquet")
    with pytest.raises(DataError, match=r"placement.parquet:3:site_id: got '<b>nowhere</b>'"):
        verify_folder(folder)

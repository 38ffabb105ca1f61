"""Certificates with their prices as files: read back to the byte, or refused by name."""

import json

import numpy as np
import pandas as pd
import pytest
from evaluation.exact_arithmetic import random_prices
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import problem_of, random_problem, two_edges_one_mid

from cdn.errors import DataError
from cdn.evaluation import lower_bound
from cdn.files.certificates import read_certificate, write_certificate
from cdn.files.schema import read_raw, write_table
from cdn.model.branching import WHOLE, Branching
from cdn.model.placement import Certificate, Prices
from cdn.model.problem import Problem
from cdn.model.shares import Shares

TABLES = ("serve_prices.parquet", "branching_nodes.parquet", "branching_prices.parquet", "branching_shares.parquet")
PROBLEM = problem_of(
    two_edges_one_mid(),
    {"=x": 1, "y": 2, "z": 3},
    [("r1", "=x", 5.0), ("r2", "=x", 5.0), ("r1", "y", 5.0), ("r2", "z", 1.0)],
)


def claim(prices: Prices | None) -> Certificate:
    return Certificate("lp", "optimal", "done", 3.0, 2.0, 1.0, 2.9, 1 / 30, None, 0.5, prices)


def prices_of(problem: Problem, branching: Branching | None) -> Prices:
    nothing, hours = np.zeros(problem.n_caches), len(problem.demand.peak_hours())
    links = np.zeros((hours, len(problem.link_capacity_bps)))
    return Prices(nothing, nothing, np.zeros((hours, problem.n_caches)), links, np.ones(len(problem.demand)), branching)


@pytest.fixture
def folder(tmp_path):
    """x has a tree of three leaves, branched on e2 and m; the first and the last share a vector of two prices. z has
    one leaf with one price, for the group that all its demand is in, which is charged half of its price at e1."""
    shares = Shares(np.zeros(len(PROBLEM.demand)), [2], [0], [0], [0.5])
    branching = Branching([0, 2], [0, 5, 6], [1, -2, 2, -1, -2, -1], [1.0, 2.0, 3.0, 4.0, 5.0], [WHOLE, 0], shares)
    write_certificate(claim(prices_of(PROBLEM, branching)), PROBLEM, tmp_path, [])
    return tmp_path


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), branching=st.booleans())
def test_prices_read_back_to_the_byte(tmp_path_factory, seed, branching):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, limits=True)
    prices = random_prices(problem, rng, branching)
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    for folder in (first, second):
        write_certificate(claim(prices), problem, folder, [])
    files = sorted(path.name for path in first.iterdir())
    shares = prices.branching.shares if branching else None
    n_tables = 1 if not branching else 3 if shares is None else 4
    assert files == sorted(["certificate.json", *TABLES[: n_tables]])
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)
    certificate, digests = read_certificate(first, problem)
    assert certificate.figures == claim(None).figures and set(digests) == set(files) - {"certificate.json"}
    assert certificate.prices is not None
    for name in ("storage", "fill", "egress", "link", "serve"):
        assert getattr(certificate.prices, name).tobytes() == getattr(prices, name).tobytes()
    assert (certificate.prices.branching is None) == (not branching)
    for name in ("asset", "group", "indptr", "site", "serve") if branching else ():
        read, written = getattr(certificate.prices.branching, name), getattr(prices.branching, name)
        assert read.dtype == written.dtype and read.tobytes() == written.tobytes()
    for name in ("entry_group", "asset", "site", "group", "share") if shares is not None else ():
        assert getattr(certificate.prices.branching.shares, name).tobytes() == getattr(shares, name).tobytes()
    assert lower_bound(problem, certificate.prices) == lower_bound(problem, prices)


def test_a_certificate_needs_no_prices(tmp_path):
    write_certificate(claim(None), PROBLEM, tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["certificate.json"]
    assert read_certificate(tmp_path, PROBLEM)[0].prices is None


def test_nodes_are_written_by_id(folder):
    frame = read_raw(folder / "branching_nodes.parquet").astype(object)
    frame = frame.where(frame.notna(), None)
    assert frame["tree_asset_id"].tolist() == ["=x"] * 5 + ["z"]
    assert frame["branch_site_id"].tolist() == ["e2", None, "m", None, None, None]
    assert frame["price_vector"].tolist() == [None, 1, None, 0, 1, 0]


@pytest.mark.parametrize("name", TABLES)
def test_missing_and_torn_tables_are_refused(folder, name):
    whole = (folder / name).read_bytes()
    for torn in (b"", whole[:50], whole[:-20], whole[: len(whole) // 2] + whole[len(whole) // 2 + 1 :]):
        (folder / name).write_bytes(torn)
        with pytest.raises(DataError, match=name):
            read_certificate(folder, PROBLEM)
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        read_certificate(folder, PROBLEM)


@pytest.mark.parametrize(
    ("name", "column", "row", "value", "message"),
    [
        ("serve_prices", "price", 1, np.nan, "serve_prices.parquet:2:price: got .*nan.*, expected a finite number"),
        ("serve_prices", "price", 1, np.inf, "serve_prices.parquet:2:price: got .*inf.*, expected a finite number"),
        ("serve_prices", "group", 1, -1, "serve_prices.parquet:2:group: got .*-1.*, expected an integer >= 0"),
        ("serve_prices", "group", 1, np.nan, "serve_prices.parquet:2:group: .*expected a group, 0 to 32767"),
        ("serve_prices", "group", 1, 2**15, "serve_prices.parquet:2:group: got 32768, expected a group, 0 to 32767"),
        ("branching_prices", "price", 4, np.nan, "branching_prices.parquet:5:price"),
        ("branching_nodes", "tree_asset_id", 5, "w", "branching_nodes.parquet:6:tree_asset_id: got 'w'"),
        ("branching_nodes", "tree_asset_id", 5, None, "branching_nodes.parquet:6:tree_asset_id"),
        ("branching_nodes", "branch_site_id", 0, "nowhere", "branching_nodes.parquet:1:branch_site_id: got 'nowhere'"),
        ("branching_nodes", "branch_site_id", 0, "o", "branching_nodes.parquet:1:branch_site_id: got 'o'"),
        ("branching_nodes", "branch_site_id", 0, None, "nodes.parquet:1:price_vector: expected a price vector"),
        ("branching_nodes", "branch_site_id", 5, "m", "nodes.parquet:6:price_vector: got 0, expected nothing"),
        ("branching_nodes", "price_vector", 3, None, "nodes.parquet:4:price_vector: expected a price vector"),
        ("branching_nodes", "price_vector", 2, 1, "nodes.parquet:3:price_vector: got 1, expected nothing"),
        ("branching_nodes", "price_vector", 3, -1, "nodes.parquet:4:price_vector: got .*-1.0.*, expected an integer"),
        ("branching_nodes", "price_vector", 3, 0.5, "nodes.parquet:4:price_vector: got .*0.5.*, expected an integer"),
        ("branching_nodes", "price_vector", 3, 1, "tree of asset number 0 bounds no leaf"),
        ("branching_nodes", "price_vector", 5, 1, "tree of asset number 2 bounds no leaf"),
        ("branching_nodes", "price_vector", 3, 2**32, "tree of asset number 0 bounds no leaf"),
        ("branching_nodes", "tree_asset_id", 0, "z", "must ascend"),
        ("branching_nodes", "tree_group", 5, 1, "a group that is not there: there are 1"),
        ("branching_nodes", "tree_group", 5, -1, "nodes.parquet:6:tree_group: got .*-1.*, expected an integer"),
        ("branching_shares", "asset_id", 0, "w", "branching_shares.parquet:1:asset_id: got 'w'"),
        ("branching_shares", "site_id", 0, "o", "branching_shares.parquet:1:site_id: got 'o'"),
        ("branching_shares", "group", 0, 1, "groups that no demand is in: there are 1"),
        ("branching_shares", "share", 0, 1.5, "branching_shares.parquet: .*between 0 and 1"),
    ],
)
def test_a_bad_cell_is_named(folder, name, column, row, value, message):
    frame = read_raw(folder / f"{name}.parquet").astype(object)
    frame.iloc[row, frame.columns.get_loc(column)] = value
    number = {} if column.endswith("_id") else {column: float}
    write_table(frame.astype(number), folder / f"{name}.parquet")
    with pytest.raises(DataError, match=message):
        read_certificate(folder, PROBLEM)


def test_a_certificate_of_groups_of_regions_is_refused_with_one_fault(folder):
    """As they were before each entry had a group."""
    path = folder / "serve_prices.parquet"
    write_table(read_raw(path).drop(columns="group"), path)
    with pytest.raises(DataError, match=r"serve_prices\.parquet: expected a column group") as refused:
        read_certificate(folder, PROBLEM)
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize(("row", "site", "vector", "asset"), [(0, None, 0, 0), (2, None, 1, 0), (5, "m", np.nan, 2)])
def test_trees_that_are_not_whole_are_refused(folder, row, site, vector, asset):
    """A leaf where the tree goes on; a cache where the last leaf should be."""
    path = folder / "branching_nodes.parquet"
    frame = read_raw(path).astype(object)
    frame.iloc[row, -2:] = site, vector
    write_table(frame.astype({"price_vector": float}), path)
    with pytest.raises(DataError, match=f"branching_nodes.parquet: .*number {asset} is not whole"):
        read_certificate(folder, PROBLEM)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("serve_prices", "serve_prices.parquet: got [35], expected 4 prices"),
        ("branching_prices", "branching_prices.parquet: .*needs 5 serve prices and has [46]"),
        ("branching_nodes", "branching_nodes.parquet: .*is not whole"),
    ],
)
def test_rows_too_few_or_too_many_are_refused(folder, name, message):
    path = folder / f"{name}.parquet"
    frame = read_raw(path)
    for changed in (frame.iloc[:-1] if name != "branching_nodes" else frame.iloc[1:], pd.concat([frame, frame[-1:]])):
        write_table(changed, path)
        with pytest.raises(DataError, match=message):
            read_certificate(folder, PROBLEM)


def test_other_columns_are_refused(folder):
    write_table(pd.DataFrame({"region_id": ["r1"], "asset_id": ["=x"], "price": [1.0]}), folder / TABLES[0])
    with pytest.raises(DataError, match="only the columns price"):
        read_certificate(folder, PROBLEM)


@pytest.mark.parametrize("part", ["storage_per_byte", "egress_per_bps"])
def test_a_price_of_no_site_is_refused(folder, part):
    path = folder / "certificate.json"
    document = json.loads(path.read_text())
    row = {"nowhere": 1.0} if part == "storage_per_byte" else [{"hour": 0, "site_id": "nowhere", "price": 1.0}]
    document["prices"][part] = row
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="a certificate of this problem"):
        read_certificate(folder, PROBLEM)

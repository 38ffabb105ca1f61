"""Prices as files: those of limits as part of a JSON document, those of demand entries and cases as tables beside it.

``serve_prices.parquet``: a price per demand entry, in the order of the demand: by asset as the catalog lists them, then
by region as the topology does. ``branching_nodes.parquet``, ``branching_prices.parquet``, only where there is
branching: the nodes of each tree in preorder, and the price vectors of its leaves, numbered from 0 in each tree, each
vector in the order of the demand of the tree's asset and group. ``branching_shares.parquet``, only where demand falls
into groups: the shares of prices; which entry is in which group stands beside its price.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, positions, read_table, write_table
from cdn.model.branching import WHOLE, Branching
from cdn.model.index import Index
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.model.shares import Shares

SERVE_PRICES_FILE = "serve_prices.parquet"
BRANCHING_NODES_FILE = "branching_nodes.parquet"
BRANCHING_PRICES_FILE = "branching_prices.parquet"
BRANCHING_SHARES_FILE = "branching_shares.parquet"
MOST_GROUP_NUMBER = int(np.iinfo(np.int16).max)
SERVE_PRICES = TableSchema(
    "serve prices",
    (
        Column("price", "number", "cost", "cost credited to a demand entry"),
        Column("group", "integer", "", "its group, where shares of prices are dealt out over groups", None, minimum=0),
    ),
)
BRANCHING_NODES = TableSchema(
    "branching nodes",
    (
        Column("tree_asset_id", "string", "", "whose tree; its nodes stand together, in preorder"),
        Column("tree_group", "integer", "", "the group of demand it is for; empty: all", None, minimum=0),
        Column("branch_site_id", "string", "", "stored there below the node that follows, not below the other", None),
        Column("price_vector", "integer", "", "which of the tree's price vectors bounds the leaf", None, minimum=0),
    ),
)
BRANCHING_SHARES = TableSchema(
    "branching shares",
    (
        Column("asset_id", "string", "", "whose price"),
        Column("site_id", "string", "", "at which cache"),
        Column("group", "integer", "", "the group of demand that is charged", minimum=0),
        Column("share", "number", "", "how much of the price, 0 to 1", minimum=0),
    ),
    key=("asset_id", "site_id", "group"),
)


def write_prices(prices: Prices, problem: Problem, folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Writes the tables of prices; gives the document of the rest, and which files were written.

    The document has prices by name; limits that cost nothing are left out.
    """
    site_ids, hours = problem.site_index.ids, problem.demand.peak_hours()
    document: dict[str, Any] = {
        "storage_per_byte": {site_ids[s]: prices.storage[s] for s in np.flatnonzero(prices.storage)},
        "fill_per_byte": {site_ids[s]: prices.fill[s] for s in np.flatnonzero(prices.fill)},
        "egress_per_bps": [
            {"hour": int(hours[h]), "site_id": site_ids[s], "price": prices.egress[h, s]}
            for h, s in zip(*np.nonzero(prices.egress), strict=True)
        ],
        "link_per_bps": [
            {"hour": int(hours[h]), "directed_link": int(k), "price": prices.link[h, k]}
            for h, k in zip(*np.nonzero(prices.link), strict=True)
        ],
        "serve": SERVE_PRICES_FILE,
    }
    tables = {SERVE_PRICES_FILE: pd.DataFrame({"price": prices.serve})}
    if prices.branching is not None:
        branching = prices.branching
        tables[BRANCHING_NODES_FILE] = _nodes_frame(branching, problem)
        tables[BRANCHING_PRICES_FILE] = pd.DataFrame({"price": branching.serve})
        document["branching"] = [BRANCHING_NODES_FILE, BRANCHING_PRICES_FILE]
        if branching.shares is not None:
            tables[BRANCHING_SHARES_FILE] = _shares_frame(branching.shares, problem)
            document["branching"].append(BRANCHING_SHARES_FILE)
            tables[SERVE_PRICES_FILE]["group"] = branching.shares.entry_group
    for name, table in tables.items():
        write_table(table, folder / name)
    return document, [folder / name for name in tables]


def _nodes_frame(branching: Branching, problem: Problem) -> pd.DataFrame:
    tree = np.repeat(np.arange(len(branching)), np.diff(branching.indptr))
    assets, owner = np.unique(branching.asset, return_inverse=True)
    group, site = np.asarray(branching.group), branching.site
    return pd.DataFrame(
        {
            "tree_asset_id": pd.Categorical.from_codes(owner[tree], problem.asset_index.ids_of(assets)),
            "tree_group": pd.arrays.IntegerArray(group.clip(0)[tree], (group == WHOLE)[tree]),
            "branch_site_id": pd.Categorical.from_codes(np.maximum(site, -1), problem.site_index.ids[:-1]),
            "price_vector": pd.arrays.IntegerArray(-1 - site, site >= 0),
        }
    )


def _shares_frame(shares: Shares, problem: Problem) -> pd.DataFrame:
    sites, assets = problem.site_index.ids[:-1], problem.asset_index
    listed, asset = np.unique(shares.asset, return_inverse=True)
    return pd.DataFrame(
        {
            "asset_id": pd.Categorical.from_codes(asset, assets.ids_of(listed)),
            "site_id": pd.Categorical.from_codes(shares.site, sites),
            "group": shares.group,
            "share": shares.share,
        }
    )


def read_prices(document: dict[str, Any], folder: Path, problem: Problem) -> Prices:
    """The prices of a document and the tables beside it. Raises DataError where a table does not fit the problem,
    and KeyError, TypeError, ValueError or IndexError where the document does not."""
    hours = problem.demand.peak_hours().tolist()
    site = problem.site_index.position_of
    storage, fill = np.zeros(problem.n_caches), np.zeros(problem.n_caches)
    egress = np.zeros((len(hours), problem.n_caches))
    link = np.zeros((len(hours), len(problem.link_capacity_bps)))
    for id_, price in document["storage_per_byte"].items():
        storage[site(id_)] = price
    for id_, price in document["fill_per_byte"].items():
        fill[site(id_)] = price
    for row in document["egress_per_bps"]:
        egress[hours.index(row["hour"]), site(row["site_id"])] = row["price"]
    for row in document["link_per_bps"]:
        link[hours.index(row["hour"]), row["directed_link"]] = row["price"]
    entries = read_table(folder / SERVE_PRICES_FILE, SERVE_PRICES)
    if len(entries) != len(problem.demand):
        expected = f"{len(problem.demand)} prices, one for each entry of the demand"
        raise DataError.of_file(folder / SERVE_PRICES_FILE, expected, len(entries))
    serve, tables = entries["price"].to_numpy(), document.get("branching", [])
    shares = _read_shares(entries, folder, problem) if BRANCHING_SHARES_FILE in tables else None
    branching = _read_branching(folder, problem, shares) if "branching" in document else None
    return Prices(storage, fill, egress, link, serve, branching)


def read_limit_prices(document: dict[str, Any], problem: Problem) -> Prices:
    """The limits' prices of a document, as far as the problem has these limits; demand has no prices. Raises KeyError,
    TypeError or ValueError where it is no document of prices."""
    hours, links = problem.demand.peak_hours().tolist(), len(problem.link_capacity_bps)
    caches = Index(problem.site_index.ids[:-1])
    storage, fill = np.zeros(problem.n_caches), np.zeros(problem.n_caches)
    for values, given in ((storage, document["storage_per_byte"]), (fill, document["fill_per_byte"])):
        known = caches.positions_of(list(given))
        values[known[known >= 0]] = np.array(list(given.values()), dtype=np.float64)[known >= 0]
    egress, link = np.zeros((len(hours), problem.n_caches)), np.zeros((len(hours), links))
    for row in document["egress_per_bps"]:
        if row["hour"] in hours and row["site_id"] in caches:
            egress[hours.index(row["hour"]), caches.position_of(row["site_id"])] = row["price"]
    for row in document["link_per_bps"]:
        if row["hour"] in hours and row["directed_link"] < links:
            link[hours.index(row["hour"]), row["directed_link"]] = row["price"]
    return Prices(storage, fill, egress, link, np.zeros(len(problem.demand)))


def read_nodes(path: Path) -> pd.DataFrame:
    """The table of nodes: each has either a site or the number of a price vector. Raises DataError."""
    frame = read_table(path, BRANCHING_NODES)
    inner, leaf = frame["branch_site_id"].notna(), frame["price_vector"].notna()
    faults = [
        Fault(str(path), int(row), "price_vector", None, "a price vector where there is no branch_site_id")
        for row in frame.index[~inner & ~leaf]
    ]
    faults += [
        Fault(str(path), int(row), "price_vector", int(value), "nothing where there is a branch_site_id")
        for row, value in frame["price_vector"][inner & leaf].items()
    ]
    if faults:
        raise DataError(sorted(faults, key=lambda fault: int(fault.row or 0)))
    return frame


def _read_shares(entries: pd.DataFrame, folder: Path, problem: Problem) -> Shares:
    path = folder / BRANCHING_SHARES_FILE
    frame = read_table(path, BRANCHING_SHARES)
    group, path_of_entries = entries["group"].astype(float), str(folder / SERVE_PRICES_FILE)
    if group.isna().all() and len(group):
        # As in certificates of groups of regions: one fault, not one for each entry.
        raise DataError.of_file(path_of_entries, f"a column group, as there is {BRANCHING_SHARES_FILE}")
    expected = f"a group, 0 to {MOST_GROUP_NUMBER}"
    faults = [
        Fault(path_of_entries, int(row), "group", int(number) if number >= 0 else None, expected)
        for row, number in group[group.isna() | (group > MOST_GROUP_NUMBER)].items()
    ]
    if faults:
        raise DataError(faults)
    asset = positions(frame, "asset_id", problem.asset_index, "catalog")
    site = positions(frame, "site_id", Index(problem.site_index.ids[:-1]), "topology's edge and mid sites")
    try:
        return Shares(group.to_numpy(np.int16), asset, site, frame["group"].to_numpy(), frame["share"].to_numpy())
    except ValueError as error:
        expected = f"shares in the order of the catalog, the sites and the groups ({error})"
        raise DataError.of_file(path, expected) from error


def _read_branching(folder: Path, problem: Problem, shares: Shares | None) -> Branching:
    path = folder / BRANCHING_NODES_FILE
    frame = read_nodes(path)
    asset = positions(frame, "tree_asset_id", problem.asset_index, "catalog")
    inner = frame["branch_site_id"].notna()
    branched = frame.loc[inner]
    branched.attrs["file"] = frame.attrs["file"]
    # A number as large as that of the nodes is too large for any tree; larger ones might not fit the type.
    site = -1 - frame["price_vector"].fillna(0).clip(upper=len(frame)).to_numpy().astype(np.int32)
    caches = Index(problem.site_index.ids[:-1])
    site[inner.to_numpy()] = positions(branched, "branch_site_id", caches, "topology's edge and mid sites")
    group = frame["tree_group"].fillna(WHOLE).to_numpy().astype(np.int32)
    begins = np.ones(len(asset), dtype=bool)
    begins[1:] = (np.diff(asset) != 0) | (np.diff(group) != 0)
    first = np.flatnonzero(begins)
    serve = read_table(folder / BRANCHING_PRICES_FILE, SERVE_PRICES)["price"].to_numpy()
    try:
        branching = Branching(asset[first], np.append(first, len(asset)), site, serve, group[first], shares)
    except ValueError as error:
        expected = f"whole trees in the order of the catalog, their price vectors numbered from 0 ({error})"
        raise DataError.of_file(path, expected) from error
    try:
        branching.serve_starts(problem.demand.indptr, problem.n_caches)
    except ValueError as error:
        expected = f"a price for each demand entry of the asset in each of its price vectors ({error})"
        raise DataError.of_file(folder / BRANCHING_PRICES_FILE, expected) from error
    return branching

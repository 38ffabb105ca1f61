"""The certificate beside a placement: ``certificate.json`` and ``serve_prices.parquet``, a price per demand entry."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdn.errors import DataError
from cdn.files.schema import Column, TableSchema, positions, read_table, write_table
from cdn.files.writing import digest_of, write_json
from cdn.model.placement import Certificate, Prices
from cdn.model.problem import Problem

CERTIFICATE_FILE = "certificate.json"
SERVE_PRICES_FILE = "serve_prices.parquet"
SERVE_PRICES = TableSchema(
    "serve prices",
    (
        Column("region_id", "string", "", "demand entry: who asks"),
        Column("asset_id", "string", "", "demand entry: for what"),
        Column("price", "number", "cost", "cost credited to the entry"),
    ),
    key=("region_id", "asset_id"),
)
_FIGURES = [field.name for field in fields(Certificate) if field.name != "prices"]


def write_certificate(certificate: Certificate, problem: Problem, folder: Path, covered: list[Path]) -> None:
    """Writes the certificate; ``covered`` are the files whose digests it vouches for."""
    document: dict[str, Any] = dict(certificate.figures)
    prices = certificate.prices
    if prices is not None:
        demand = problem.demand
        write_table(
            pd.DataFrame(
                {
                    "region_id": demand.region_index.ids_of(demand.region),
                    "asset_id": demand.asset_index.ids_of(demand.asset),
                    "price": prices.serve,
                }
            ),
            folder / SERVE_PRICES_FILE,
        )
        covered = [*covered, folder / SERVE_PRICES_FILE]
        document["prices"] = _price_document(prices, problem)
    document["digests"] = {path.relative_to(folder).as_posix(): digest_of(path) for path in covered}
    write_json(folder / CERTIFICATE_FILE, document)


def _price_document(prices: Prices, problem: Problem) -> dict[str, Any]:
    """Prices by name; limits that cost nothing are left out."""
    site_ids, hours = problem.site_index.ids, problem.demand.peak_hours()
    return {
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


def read_certificate(folder: Path, problem: Problem) -> tuple[Certificate, dict[str, str]]:
    """The certificate and the digests it vouches for. Raises DataError where it does not fit the problem."""
    path = folder / CERTIFICATE_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        figures = {name: document[name] for name in _FIGURES}
        prices = _read_prices(document["prices"], folder, problem) if "prices" in document else None
        return Certificate(**figures, prices=prices), dict(document["digests"])
    except OSError as error:
        raise DataError.of_file(path, "a readable file") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError.of_file(path, f"a certificate of this problem ({type(error).__name__}: {error})") from error


def _read_prices(document: dict[str, Any], folder: Path, problem: Problem) -> Prices:
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
    return Prices(storage, fill, egress, link, _read_serve_prices(folder / SERVE_PRICES_FILE, problem))


def _read_serve_prices(path: Path, problem: Problem) -> np.ndarray:
    frame = read_table(path, SERVE_PRICES)
    region = positions(frame, "region_id", problem.region_index, "topology's regions")
    asset = positions(frame, "asset_id", problem.asset_index, "catalog")
    demand, n_regions = problem.demand, len(problem.region_index)
    order = np.argsort(asset.astype(np.int64) * n_regions + region, kind="stable")
    if not (np.array_equal(asset[order], demand.asset) and np.array_equal(region[order], demand.region)):
        raise DataError.of_file(path, "one price for each entry of the demand, and no others")
    return frame["price"].to_numpy()[order]

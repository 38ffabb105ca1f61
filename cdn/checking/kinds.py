"""Telling what a file is: a topology by its keys, a table by its columns."""

import csv
import difflib
import io
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cdn.errors import DataError
from cdn.files.catalogs import CATALOG
from cdn.files.contents import PLACEMENT, ROUTING, STORED_NOW
from cdn.files.demands import DEMAND, HOURS
from cdn.files.fill_plans import FILL_PLAN
from cdn.files.prices import BRANCHING_NODES, BRANCHING_SHARES, SERVE_PRICES
from cdn.files.schema import CSV, PARQUET, TableSchema
from cdn.files.topologies import SERVING_COSTS, TopologyRecord, load_toml
from cdn.logs.request_log_files import REQUEST_LOG

TOPOLOGY = "topology"
SCHEMAS: Mapping[str, TableSchema] = {schema.name: schema for schema in (
    CATALOG, REQUEST_LOG, DEMAND, HOURS, STORED_NOW, PLACEMENT, ROUTING, FILL_PLAN, SERVING_COSTS, SERVE_PRICES,
    BRANCHING_NODES, BRANCHING_SHARES)}
HEADER_BYTES_MAX = 1 << 20


def kind_of(path: Path) -> str:
    """``topology`` or the name of the table schema that a file's columns fit best, missing or foreign ones forgiven.

    A folder or a ``.csv.gz`` file is a request log. Raises DataError where the file cannot be read or fits nothing.
    """
    if path.is_dir() or path.name.endswith(CSV + ".gz"):
        return REQUEST_LOG.name
    if path.suffix == ".toml":
        if TopologyRecord.model_fields.keys().isdisjoint(load_toml(path)):
            raise DataError.of_file(path, "a topology: a TOML file with [[sites]] and [[regions]]")
        return TOPOLOGY
    columns = _column_names(path)
    likeness = {name: _likeness(schema, columns) for name, schema in SCHEMAS.items()}
    best = [name for name in SCHEMAS if likeness[name] == max(likeness.values())]
    if 2 * _found(_required(SCHEMAS[best[0]]), columns) < len(_required(SCHEMAS[best[0]])):
        best = list(SCHEMAS)
    if len(best) > 1:
        raise DataError.of_file(path, f"the columns of one of: {', '.join(best)}", ",".join(columns))
    return best[0]


def _required(schema: TableSchema) -> list[str]:
    return [column.name for column in schema.columns if column.required]


def _found(required: list[str], columns: Collection[str]) -> float:
    """How many of the required columns are there. One that is only misspelt counts half."""
    missing = [name for name in required if name not in columns]
    misspelt = sum(bool(difflib.get_close_matches(name, columns, 1, cutoff=0.8)) for name in missing)
    return len(required) - len(missing) + misspelt / 2


def _likeness(schema: TableSchema, columns: Collection[str]) -> float:
    """Share of the required columns that are there, plus share of the file's columns that the schema knows."""
    required, known = _required(schema), set(schema.column_names)
    return _found(required, columns) / len(required) + sum(name in known for name in columns) / max(len(columns), 1)


def _column_names(path: Path) -> list[str]:
    if path.suffix not in (CSV, PARQUET):
        raise DataError.of_file(path, f"a file name ending in .toml, {CSV}, {CSV}.gz or {PARQUET}", path.suffix)
    try:
        if path.suffix == PARQUET:
            return list(pq.read_schema(path).names)
        with path.open("rb") as stream:
            header = stream.readline(HEADER_BYTES_MAX).decode("utf-8-sig")
        return [name.strip() for name in next(csv.reader(io.StringIO(header)), [])]
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise DataError.of_file(path, f"a readable table ({' '.join(str(error).split())})") from error

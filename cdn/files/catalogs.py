"""The catalog file: one row per asset."""

from pathlib import Path

import numpy as np
import pandas as pd

from cdn.files.schema import Column, TableSchema, read_table
from cdn.model.catalog import Catalog
from cdn.model.index import Index

CATALOG = TableSchema(
    "catalog",
    (
        Column("asset_id", "string", "", "the unit that is stored and requested"),
        Column("title_id", "string", "", "the work it is a file of"),
        Column("size_bytes", "integer", "bytes", "what it takes to store", above=0),
        Column("bitrate_bps", "number", "bit/s", "playback rate", None, above=0),
        Column("encode", "string", "", "rung of the encode ladder, of the same name in all titles", None),
        Column("language", "string", "", "language of the file", None),
        Column("title", "string", "", "name for people", None),
        Column("series_id", "string", "", "series of an episode", None),
        Column("season", "integer", "", "season number", None, minimum=0),
        Column("episode", "integer", "", "episode number", None, minimum=0),
        Column("kind", "string", "", "film, episode, ...", None),
        Column("genres", "list", "", "genres", ()),
        Column("release_date", "time", "UTC", "first day it can be asked for", None),
        Column("licence_start", "time", "UTC", "rights hold from here (inclusive)", None),
        Column("licence_end", "time", "UTC", "rights hold until here (exclusive)", None),
        Column("allowed_regions", "list", "", "only regions caches may serve it to; empty: all", ()),
        Column("pinned_sites", "list", "", "sites that must store it", ()),
        Column("excluded_sites", "list", "", "sites that must not store it", ()),
    ),
    key=("asset_id",),
    open_ended=True,
)
_MODEL_COLUMNS = ("asset_id", "title_id", "size_bytes", "licence_start", "licence_end", "allowed_regions",
                  "pinned_sites", "excluded_sites")


def read_catalog(path: Path | str) -> Catalog:
    """Reads a catalog. Raises DataError with file, row, column, value and what was expected."""
    return catalog_of(read_table(path, CATALOG))


def catalog_of(frame: pd.DataFrame) -> Catalog:
    """The catalog of a table that was read by its schema."""
    return Catalog(
        asset_index=Index(frame["asset_id"]),
        title_ids=frame["title_id"].to_numpy(dtype=object),
        size_bytes=frame["size_bytes"].to_numpy(dtype=np.int64),
        licence_start=frame["licence_start"].to_numpy(),
        licence_end=frame["licence_end"].to_numpy(),
        **{rule: _sparse(frame[rule]) for rule in ("allowed_regions", "pinned_sites", "excluded_sites")},
        attributes={name: frame[name].to_numpy() for name in frame.columns if name not in _MODEL_COLUMNS},
    )


def _sparse(lists: pd.Series) -> dict[int, tuple[str, ...]]:
    return {position: ids for position, ids in enumerate(lists) if ids}

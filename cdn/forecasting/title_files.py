"""Titles and their files: which assets are files of one title, which files of different titles are of one class, and
the history of titles that follows from that of files.

Two files are of one class where they are the same rung of the ladder in the same language: the catalog's ``encode``,
or, without it, the rank of the bit rate (of the size where no rate is given) among the title's files of the language.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from cdn.forecasting.events import Calendar
from cdn.forecasting.history import History, sums_by_key
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.titles import TitleAttributes
from cdn.model.arrays import csr_indptr, frozen
from cdn.model.catalog import Catalog
from cdn.model.index import UNKNOWN, Index


@dataclass(frozen=True, eq=False)
class TitleFiles:
    """T titles of A files. ``title`` (A,) int32; ``file_class`` (A,) int32, 0..K-1 with names ``classes``;
    title t's files are ``file[indptr[t]:indptr[t + 1]]``, ascending."""

    title_index: Index
    title: np.ndarray
    file_class: np.ndarray
    classes: tuple[str, ...]
    indptr: np.ndarray
    file: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("title", np.int32), ("file_class", np.int32), ("indptr", np.int64), ("file", np.int32)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    @property
    def n_files(self) -> np.ndarray:
        """(T,) files of each title."""
        return np.diff(self.indptr)

    def per_title(self) -> np.ndarray:
        """(T, K) files of each class that each title has."""
        n_classes = len(self.classes)
        cell = self.title.astype(np.int64) * n_classes + self.file_class
        return np.bincount(cell, minlength=len(self.title_index) * n_classes).reshape(-1, n_classes)

    @classmethod
    def of_catalog(cls, catalog: Catalog) -> "TitleFiles":
        """Titles in the order of their first files."""
        title, ids = pd.factorize(catalog.title_ids)
        file_class, classes = pd.factorize(_class_names(catalog, title), sort=True)
        return cls(Index(ids), title, file_class, tuple(classes), csr_indptr(title, len(ids)),
                   np.argsort(title, kind="stable"))


def _class_names(catalog: Catalog, title: np.ndarray) -> np.ndarray:
    n = len(catalog)
    language = pd.Series(catalog.attributes.get("language", np.full(n, None)), dtype=object).fillna("").astype(str)
    encode = pd.Series(catalog.attributes.get("encode", np.full(n, None)), dtype=object)
    rate = pd.to_numeric(pd.Series(catalog.attributes.get("bitrate_bps", np.full(n, np.nan))), errors="coerce")
    frame = pd.DataFrame({"title": title, "language": language, "rate": rate.fillna(0.0), "size": catalog.size_bytes})
    order = frame.sort_values(["title", "language", "rate", "size"], kind="stable")
    within = order.groupby(["title", "language"], sort=False)
    rank = (within.cumcount() + 1).astype(str) + " of " + within["size"].transform("size").astype(str)
    rung = encode.where(encode.notna(), rank.sort_index()).astype(str)
    return (rung + (" " + language).where(language != "", "")).to_numpy(dtype=object)


def title_history(history: History, files: TitleFiles) -> History:
    """What was asked for of each title on each day, whichever of its files it was."""
    n_regions, n_titles = len(history.region_index), len(files.title_index)
    key = (history.day.astype(np.int64) * n_titles + files.title[history.asset]) * n_regions + history.region
    key, requests, bytes_ = sums_by_key(key, history.requests, history.bytes)
    day, rest = np.divmod(key, n_titles * n_regions)
    return replace(history, asset_index=files.title_index, day=day, asset=rest // n_regions, region=rest % n_regions,
                   requests=requests, bytes=bytes_)


def title_knowledge(knowledge: Knowledge, files: TitleFiles) -> Knowledge:
    """What is known of titles: of a title's files the first speaks for it, and sizes add up."""
    titles, calendar, size = knowledge.titles, knowledge.calendar, knowledge.size_bytes
    first = files.file[files.indptr[:-1]]
    if titles is not None:
        titles = TitleAttributes(*(getattr(titles, field.name)[first] for field in fields(titles)))
    if size is not None:
        size = np.bincount(files.title, size, len(files.title_index)).astype(np.int64)
    if calendar is not None:
        calendar = _of_titles(calendar, files)
    return replace(knowledge, titles=titles, calendar=calendar, size_bytes=size)


def _of_titles(calendar: Calendar, files: TitleFiles) -> Calendar:
    """An event of one file is one of its title; of several files of a title on one day it is one event."""
    one = calendar.asset != UNKNOWN
    asset = np.where(one, files.title[calendar.asset], UNKNOWN)
    rows = pd.DataFrame({"day": calendar.day, "kind": calendar.kind, "factor": calendar.factor,
                         "region": calendar.region, "asset": asset})
    kept = ~rows.duplicated().to_numpy() | ~one
    return Calendar(*(rows.loc[kept, name].to_numpy() for name in ("day", "kind", "factor", "region", "asset")))

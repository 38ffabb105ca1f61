"""What the catalog says about titles, as dense numbers: kind, genre, series, release, age."""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import pandas as pd

from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog

UNKNOWN_DAY = np.iinfo(np.int32).min
UNKNOWN_AGE = np.iinfo(np.int32).max
"""Older than anything: a title whose release is not known is not known to be new."""


@dataclass(frozen=True, eq=False)
class TitleAttributes:
    """One row per asset, (A,) int32 each. ``kind``, ``genre`` (the first one), ``series`` (of an episode; a film or an
    unknown series stands alone), ``release`` (what comes out together: a season, else the title): codes from 0.
    ``release_day``: day number since 1970 or UNKNOWN_DAY. ``order``: season, then episode, ascending; 0 if unknown."""

    kind: np.ndarray
    genre: np.ndarray
    series: np.ndarray
    release: np.ndarray
    release_day: np.ndarray
    order: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name), np.int32))

    def __len__(self) -> int:
        return len(self.kind)

    def age(self, day: int) -> np.ndarray:
        """(A,) days since the release; UNKNOWN_AGE where that is not known, negative before it."""
        return np.where(self.release_day == UNKNOWN_DAY, UNKNOWN_AGE, day - self.release_day.astype(np.int64))

    @classmethod
    @lru_cache(maxsize=4)
    def of_nothing(cls, n_assets: int) -> "TitleAttributes":
        """Titles of which nothing is known: one kind, one genre, each alone."""
        same, own = np.zeros(n_assets, dtype=np.int32), np.arange(n_assets)
        return cls(same, same, own, own, np.full(n_assets, UNKNOWN_DAY), same)

    @classmethod
    def of_catalog(cls, catalog: Catalog) -> "TitleAttributes":
        """What the catalog's optional columns tell; columns that are not there are as if empty."""
        empty = np.full(len(catalog), None, dtype=object)
        column = {name: pd.Series(catalog.attributes.get(name, empty), dtype=object)
                  for name in ("kind", "genres", "series_id", "season", "episode", "release_date")}
        title = pd.Series(catalog.title_ids)
        series = ("series " + column["series_id"].astype(str)).where(column["series_id"].notna(), "title " + title)
        season = pd.to_numeric(column["season"]).fillna(0).astype(np.int64)
        episode = pd.to_numeric(column["episode"]).fillna(0).astype(np.int64)
        release = series + " " + season.astype(str)
        genre = column["genres"].map(lambda names: names[0] if names is not None and len(names) else None)
        day = pd.to_datetime(column["release_date"]).to_numpy(dtype="datetime64[D]")
        number = np.where(np.isnat(day), UNKNOWN_DAY, day.astype(np.int64))
        return cls(_codes(column["kind"]), _codes(genre), _codes(series), _codes(release), number,
                   season * 10_000 + episode.clip(upper=9_999))


def _codes(values: pd.Series) -> np.ndarray:
    """Codes by sorted name, so that they do not depend on the rows' order; a missing value is a name of its own."""
    return pd.factorize(values.fillna("").astype(str), sort=True)[0]

"""Whose error is it: pairs (region, asset) by region, by the region's size, by the title's popularity and by its
age."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdn.forecasting.history import History
from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog

LARGE_SHARE, MEDIUM_SHARE = 0.5, 0.8
"""Large regions hold, most requests first, half of all requests; with the medium ones they hold four fifths."""
HEAD_SHARE = 0.1
"""Head: this share of the assets asked for in the window, those asked for most. Everything else is tail."""
NEW_DAYS = 14
"""A title is new on its first so many days."""
ALL, REGION, REGION_SIZE, POPULARITY, AGE = "all", "region", "region_size", "popularity", "age"
NEWS = "news"
"""New titles again, those apart that no forecaster can know of."""
KNOWN, UNHEARD_OF = "known", "unheard_of"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of pairs by a label of their region or of their asset.

    ``labels``: names of the G groups; ``of_region`` (R,) or ``of_asset`` (A,): the group of each, None where it is not
    what counts.
    """

    name: str
    labels: tuple[str, ...]
    of_region: np.ndarray | None = None
    of_asset: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("of_region", "of_asset"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def of_pairs(self, region: np.ndarray, asset: np.ndarray) -> np.ndarray:
        """(N,) group of each pair."""
        if self.of_region is not None:
            return self.of_region[region]
        return np.zeros(len(region), dtype=np.int64) if self.of_asset is None else self.of_asset[asset]


def groupings_of(before: History, released: np.ndarray, stated: np.ndarray, day: int,
                 region_size: np.ndarray) -> list[Grouping]:
    """The six groupings of one tested day. ``before``: the window its forecasts are made from; ``released`` (A,) as
    ``release_days`` gives it, of which the catalog has ``stated`` (A,); ``region_size`` (R,) as ``region_sizes`` does.

    A new title is unheard of where nobody had asked for it when the forecast was made and the catalog does not say that
    it was to come.
    """
    new = (released >= 0) & (day - released < NEW_DAYS) & (released <= day)
    unheard_of = new & ~stated & (released >= before.until_day)
    return [
        Grouping(ALL, (ALL,)),
        Grouping(REGION, tuple(before.region_index), of_region=np.arange(len(before.region_index))),
        Grouping(REGION_SIZE, ("large", "medium", "small"), of_region=region_size),
        Grouping(POPULARITY, ("head", "tail"), of_asset=~_head(before)),
        Grouping(AGE, ("new", "old"), of_asset=~new),
        Grouping(NEWS, (KNOWN, UNHEARD_OF, "old"), of_asset=np.where(new, unheard_of, 2)),
    ]


def region_sizes(requests: np.ndarray) -> np.ndarray:
    """(R,) 0 large, 1 medium, 2 small, by the regions' requests (R,).

    >>> region_sizes(np.array([5, 50, 25, 20])).tolist()
    [2, 0, 1, 1]
    """
    order = np.argsort(-requests, kind="stable")
    before = np.cumsum(requests[order]) - requests[order]
    sizes = np.empty(len(requests), dtype=np.int64)
    total = requests.sum()
    # The region that reaches a bound still belongs below it.
    sizes[order] = np.where(before < LARGE_SHARE * total, 0, np.where(before < MEDIUM_SHARE * total, 1, 2))
    return sizes


def release_days(catalog: Catalog, first_seen: np.ndarray, log_start: int) -> np.ndarray:
    """(A,) day number of each asset's first day, -1 where it is not known.

    The catalog's ``release_date`` counts. Without one an asset's first request does, if the log had been running for
    ``NEW_DAYS`` days by then: what is asked for early in a log may be of any age.
    """
    known = np.where(first_seen - log_start >= NEW_DAYS, first_seen, -1)
    stated = _stated_dates(catalog)
    return np.where(np.isnat(stated), known, np.maximum(stated.astype(np.int64), 0))


def stated_releases(catalog: Catalog) -> np.ndarray:
    """(A,) bool: the catalog has a ``release_date``."""
    return ~np.isnat(_stated_dates(catalog))


def _stated_dates(catalog: Catalog) -> np.ndarray:
    """(A,) datetime64[D], NaT where the catalog says none."""
    if "release_date" not in catalog.attributes:
        return np.full(len(catalog), "NaT", dtype="datetime64[D]")
    dates = pd.to_datetime(pd.Series(catalog.attributes["release_date"]), utc=True).dt.tz_localize(None)
    return dates.to_numpy().astype("datetime64[D]")


def _head(before: History) -> np.ndarray:
    """(A,) bool: among the most requested assets of the window."""
    requests = np.bincount(before.asset, before.requests, len(before.asset_index))
    head = np.zeros(len(requests), dtype=bool)
    n_head = int(np.ceil(HEAD_SHARE * np.count_nonzero(requests)))
    head[np.argsort(-requests, kind="stable")[:n_head]] = True
    return head

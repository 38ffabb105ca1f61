"""Sweeping clients: bots and mirrors that ask for hundreds of different assets in a day. They say nothing of what
people want, and a forecast made from them expects the whole catalog to be asked for again.

A client is a ``session_id`` on one UTC day, for ids are often unique within a day only. It sweeps where it asks for
more than so many distinct assets that day. A log without ``session_id`` cannot tell its clients apart: nobody sweeps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdn.logs.chunks import LogChunk
from cdn.logs.readers import reader_of
from cdn.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY

DISTINCT_ASSETS = 300
"""More than a person asks for in a day, of any catalog."""
_US_PER_DAY = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND
CLIENT = "session_id"


@dataclass(frozen=True, eq=False)
class SweepingClients:
    """``rows``: one per sweeping client and day, most assets first: ``day`` (number since 1970), ``session_id``,
    ``assets`` distinct, ``requests``. ``distinct_assets``: the limit they are above. ``requests``: of all clients;
    ``with_session``: how many of these named their session."""

    rows: pd.DataFrame
    distinct_assets: int
    requests: int
    with_session: int

    @property
    def swept_requests(self) -> int:
        return int(self.rows["requests"].sum())

    def on_days(self, first: int, end: int) -> "SweepingClients":
        """The same with those alone that swept on day numbers ``first`` to ``end`` - 1."""
        return replace(self, rows=self.rows[self.rows["day"].between(first, end - 1)].reset_index(drop=True))

    def of_chunk(self, chunk: LogChunk) -> np.ndarray:
        """(N,) bool: requests of the chunk that a sweeping client made."""
        if not len(self.rows) or CLIENT not in chunk.optional:
            return np.zeros(len(chunk), dtype=bool)
        session, code = _sessions(chunk)
        table = pd.Index(session).get_indexer(self.rows["session_id"])
        swept = (self.rows["day"].to_numpy() * len(session) + table)[table >= 0]
        return (code >= 0) & np.isin(chunk.time_us // _US_PER_DAY * len(session) + code, swept)

    def summary(self) -> dict[str, Any]:
        """The counts, for JSON."""
        return {"distinct_assets": self.distinct_assets, "client_days": len(self.rows),
                "requests": self.swept_requests, "requests_with_session": self.with_session}


def find_sweeping_clients(files: Iterable[Path], distinct_assets: int = DISTINCT_ASSETS, *,
                          format_name: str = "request_log") -> SweepingClients:
    """Reads the logs once, their good rows only, and counts each client's assets over all of them.

    Memory grows with the distinct (day, client, asset). Raises ValueError for a limit below 1, DataError where a file
    cannot be read.
    """
    if distinct_assets < 1:
        raise ValueError(f"distinct_assets is at least 1, not {distinct_assets}")
    sessions, assets = _Codes(), _Codes()
    parts: list[pd.DataFrame] = []
    requests = with_session = 0
    for file in files:
        for chunk in reader_of(format_name)(file):
            requests += len(chunk)
            if CLIENT in chunk.optional:
                parts.append(_counted([_of_chunk(chunk, sessions, assets)]))
                with_session += int(parts[-1]["requests"].sum())
                if len(parts) == 16:
                    parts = [_counted(parts)]
    per_asset = _counted(parts) if parts else _counted([pd.DataFrame(columns=["day", "session", "asset", "requests"])])
    clients = per_asset.groupby(["day", "session"], sort=True)["requests"].agg(["size", "sum"]).reset_index()
    swept = clients[clients["size"] > distinct_assets]
    rows = pd.DataFrame({"day": swept["day"], CLIENT: sessions.texts(swept["session"]), "assets": swept["size"],
                         "requests": swept["sum"]})
    return SweepingClients(sweeping_rows(rows), distinct_assets, requests, with_session)


def sweeping_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Sweeping clients in the order and types of ``SweepingClients.rows``."""
    rows = rows.astype({"day": np.int64, CLIENT: object, "assets": np.int64, "requests": np.int64})
    return rows.sort_values(["assets", "day", CLIENT], ascending=[False, True, True], ignore_index=True)


class _Codes:
    """Texts as integers, the same for all chunks."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, texts: Iterable[str]) -> np.ndarray:
        return np.array([self._known.setdefault(text, len(self._known)) for text in texts], dtype=np.int64)

    def texts(self, codes: pd.Series) -> np.ndarray:
        known = np.array([*self._known, ""], dtype=object)
        return known[codes.to_numpy(dtype=np.int64)]


def _sessions(chunk: LogChunk) -> tuple[np.ndarray, np.ndarray]:
    """The chunk's distinct sessions and (N,) which each request has, -1 where it names none."""
    coded = chunk.optional[CLIENT].dictionary_encode()
    return np.array(coded.dictionary.to_pylist(), dtype=object), coded.indices.fill_null(-1).to_numpy()


def _of_chunk(chunk: LogChunk, sessions: _Codes, assets: _Codes) -> pd.DataFrame:
    session, code = _sessions(chunk)
    asset = assets.of(chunk.asset_id.dictionary.to_pylist())[chunk.asset_id.indices.to_numpy()]
    named = code >= 0
    return pd.DataFrame({"day": (chunk.time_us // _US_PER_DAY)[named], "session": sessions.of(session)[code[named]],
                         "asset": asset[named], "requests": 1})


def _counted(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Requests per day, session and asset of several tables of them."""
    return pd.concat(parts, ignore_index=True).groupby(["day", "session", "asset"], sort=False)["requests"].sum() \
        .reset_index()

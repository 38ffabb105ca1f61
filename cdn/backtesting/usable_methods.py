"""Which forecasters can run here: some need a library that is installed on demand only."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cdn.errors import CdnError
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.history import History, history_of_log
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.request_log import RequestLog
from cdn.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY


def unusable_methods(methods: Iterable[str]) -> dict[str, str]:
    """The methods whose library is missing or does not load, with what they say about it. Each is tried on two days of
    one request."""
    catalog = Catalog.of_sizes(["asset"], [1])
    zeros = np.zeros(2, dtype=np.int64)
    log = RequestLog(Index(["region"]), catalog.asset_index,
                     np.arange(2) * SECONDS_PER_DAY * MICROSECONDS_PER_SECOND, zeros, zeros, zeros + 1)
    history = history_of_log(log, 2)
    return {method: reason for method in methods if (reason := _missing_library(history, method, catalog))}


def _missing_library(history: History, method: str, catalog: Catalog) -> str | None:
    try:
        forecast(history, pd.Timestamp(0) + pd.Timedelta(days=2), method, catalog)
    except CdnError as error:
        return str(error) if isinstance(error.__cause__, ImportError | OSError) else None
    return None

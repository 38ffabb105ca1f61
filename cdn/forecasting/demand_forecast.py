"""The forecast of a day: a method's expected requests, made into demand with bytes and peak rates."""

from typing import Any

import pandas as pd

from cdn.errors import CdnError, DataError, Fault, UnknownNameError
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecasters import forecaster_of, parameters_of
from cdn.forecasting.history import History
from cdn.forecasting.hour_profiles import hour_shares, peak_bps_per_byte
from cdn.forecasting.request_sizes import bytes_per_request
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand


def day_number(day: pd.Timestamp) -> int:
    """Days from 1970-01-01 to a UTC day."""
    return (pd.Timestamp(day) - pd.Timestamp(0)).days


def forecast(history: History, day: pd.Timestamp, method: str, catalog: Catalog, **parameters: Any) -> Demand:
    """Demand of UTC day ``day`` by one of FORECASTERS, from a history that ends before it.

    ``bytes`` = expected requests x the asset's expected bytes per request; ``peak_bps`` = bytes x the share of the
    region's busiest hour; ``hour_factor`` (24, R) follows the region's hours. Assets never asked for get nothing.

    Raises UnknownNameError for a method or parameter that does not exist, CdnError for a parameter value that makes no
    sense, DataError where the history has no day, ValueError where it has the day itself or another catalog's assets.
    """
    number = day_number(day)
    if history.until_day > number:
        raise ValueError(f"the history reaches day number {history.until_day - 1}, the forecast is of {number}")
    if history.asset_index != catalog.asset_index:
        raise ValueError("the history and the catalog have different assets")
    if not history.observed.any():
        raise DataError([Fault("request log", None, "time", None, f"requests in the days before {day:%Y-%m-%d}")])
    expected = _expected(history, number, method, parameters)
    bytes_ = expected.requests * bytes_per_request(history, catalog.size_bytes)[expected.asset]
    shares = hour_shares(history)
    return Demand.from_entries(
        history.region_index, history.asset_index, expected.region, expected.asset, expected.requests, bytes_,
        bytes_ * peak_bps_per_byte(shares)[expected.region], shares / shares.max(axis=0))


def _expected(history: History, number: int, method: str, parameters: dict[str, Any]) -> ExpectedRequests:
    known = parameters_of(method)
    for name in parameters:
        if name not in known:
            raise UnknownNameError(f"parameter of {method}", name, list(known))
    try:
        return forecaster_of(method)(history, number, **parameters)
    except (ValueError, TypeError, OverflowError) as error:
        if parameters:
            raise CdnError(f"forecasting method {method}: {error}") from error
        raise

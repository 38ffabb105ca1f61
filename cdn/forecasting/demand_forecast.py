"""The forecast of a day: a method's expected requests, made into demand with bytes and peak rates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cdn.errors import CdnError, DataError, Fault, UnknownNameError
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.forecasters import LOOK_BACK, checked_parameters, forecaster_of
from cdn.forecasting.history import History
from cdn.forecasting.hour_profiles import hour_shares, peak_bps_per_byte
from cdn.forecasting.knowledge import Knowledge, knowledge_of
from cdn.forecasting.levels import LEVELS
from cdn.forecasting.negative_binomial import quantiles
from cdn.forecasting.past_forecasts import PastForecasts
from cdn.forecasting.request_sizes import bytes_per_request, size_variance
from cdn.forecasting.thin_days import whole_days
from cdn.forecasting.uncertainty import with_dispersion
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand


def day_number(day: pd.Timestamp) -> int:
    """Days from 1970-01-01 to a UTC day."""
    return (pd.Timestamp(day) - pd.Timestamp(0)).days


@dataclass(frozen=True, eq=False)
class DayForecast:
    """A forecast as ``demand``, and the ``counts`` it was made from: one entry each, in the same order."""

    demand: Demand
    counts: ExpectedRequests


def forecast(history: History, day: pd.Timestamp, method: str, catalog: Catalog, knowledge: Knowledge | None = None, *,
             level: str = "file", with_quantiles: bool = True, **parameters: Any) -> Demand:
    """The demand of ``day_forecast``."""
    return day_forecast(history, day, method, catalog, knowledge, level=level, with_quantiles=with_quantiles,
                        **parameters).demand


def day_forecast(history: History, day: pd.Timestamp, method: str, catalog: Catalog,
                 knowledge: Knowledge | None = None, *, level: str = "file", with_quantiles: bool = True,
                 past: PastForecasts | None = None, **parameters: Any) -> DayForecast:
    """Demand of UTC day ``day`` by one of FORECASTERS, from a history that ends before it. Thin days of the history
    are left out.

    ``bytes`` = expected requests x the asset's expected bytes per request; ``peak_bps`` = bytes x the share of the
    region's busiest hour of that UTC day by its own clock; ``hour_factor`` (24, R) follows the region's hours.
    ``knowledge``: what is known in advance; by default what the catalog tells. ``with_quantiles``: with ``bytes_p10``
    and ``bytes_p90``; a method that says nothing of its errors is run once more, for the history's last day, to measure
    them. ``past``: what a method that looks back on its own forecasts may find there, and adds to; it changes no
    number.

    ``level``: one of LEVELS, whether files are forecast each for itself or titles, split over their files.

    Raises UnknownNameError for a method, level or parameter that does not exist, CdnError for a parameter value of
    another type or that makes no sense, DataError where the history has no day, ValueError where it has the day itself
    or another catalog's assets.
    """
    number = day_number(day)
    if history.until_day > number:
        raise ValueError(f"the history reaches day number {history.until_day - 1}, the forecast is of {number}")
    if history.asset_index != catalog.asset_index:
        raise ValueError("the history and the catalog have different assets")
    if not history.observed.any():
        raise DataError([Fault("request log", None, "time", None, f"requests in the days before {day:%Y-%m-%d}")])
    knowledge = knowledge_of(catalog) if knowledge is None else knowledge
    if level not in LEVELS:
        raise UnknownNameError("forecast level", level, list(LEVELS))
    history = whole_days(history)
    parameters = checked_parameters(method, parameters) | ({"past": past} if method in LOOK_BACK else {})
    forecaster = LEVELS[level](forecaster_of(method), catalog)
    expected = _expected(forecaster, history, number, method, knowledge, with_quantiles, parameters)
    per_request = bytes_per_request(history, catalog.size_bytes)
    bytes_ = expected.requests * per_request[expected.asset]
    shares = hour_shares(history, number, knowledge.time_zones)
    p10, p90 = _byte_quantiles(history, expected, per_request) if with_quantiles else (None, None)
    demand = Demand.from_entries(
        history.region_index, history.asset_index, expected.region, expected.asset, expected.requests, bytes_,
        bytes_ * peak_bps_per_byte(shares)[expected.region], shares / shares.max(axis=0), p10, p90)
    return DayForecast(demand, expected)


def _expected(forecaster: Forecaster, history: History, number: int, method: str, knowledge: Knowledge,
              with_quantiles: bool, parameters: dict[str, Any]) -> ExpectedRequests:
    try:
        if with_quantiles:
            return with_dispersion(forecaster, history, number, knowledge, **parameters)
        return forecaster(history, number, knowledge, **parameters)
    except (ValueError, TypeError, OverflowError) as error:
        if parameters.keys() - {"past"}:
            raise CdnError(f"forecasting method {method}: {error}") from error
        raise


def _byte_quantiles(history: History, expected: ExpectedRequests, per_request: np.ndarray) -> list[np.ndarray]:
    """Of the sum of a negative binomial number of requests of random bytes: that of a count with the same mean and
    variance, m (1 + c) + phi m^2 with c the squared relative sd of a request's bytes, times the bytes per request."""
    mean = expected.requests
    own = np.zeros(len(expected)) if expected.dispersion is None else expected.dispersion
    phi = own + size_variance(history, per_request) / np.maximum(mean, 1e-9)
    return [quantiles(mean, phi, share) * per_request[expected.asset] for share in (0.1, 0.9)]

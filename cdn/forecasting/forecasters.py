"""FORECASTERS: name -> forecaster. One file each; ``docs/adding_a_forecaster.md`` says how to add one."""

import inspect
from typing import Any, Protocol

from cdn.errors import UnknownNameError
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.exponential import exponential
from cdn.forecasting.history import History
from cdn.forecasting.last_day import last_day
from cdn.forecasting.moving_average import moving_average
from cdn.forecasting.seasonal_naive import seasonal_naive
from cdn.forecasting.shrinkage import shrinkage


class Forecaster(Protocol):
    """Expected requests on day number ``day``, from a history that ends before it and has at least one observed day.

    Parameters are keyword-only, with defaults; a value that makes no sense raises ValueError.
    """

    def __call__(self, history: History, day: int, *args: Any, **parameters: Any) -> ExpectedRequests: ...


FORECASTERS: dict[str, Forecaster] = {
    "last_day": last_day,
    "moving_average": moving_average,
    "exponential": exponential,
    "seasonal_naive": seasonal_naive,
    "shrinkage": shrinkage,
}


def forecaster_of(name: str) -> Forecaster:
    """The forecaster of that name. Raises UnknownNameError."""
    if name not in FORECASTERS:
        raise UnknownNameError("forecasting method", name, list(FORECASTERS))
    return FORECASTERS[name]


def parameters_of(name: str) -> dict[str, Any]:
    """The parameters of a forecaster and their defaults. Raises UnknownNameError."""
    signature = inspect.signature(forecaster_of(name))
    return {parameter.name: parameter.default for parameter in signature.parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY}

"""FORECASTERS: name -> forecaster. One file each; ``docs/adding_a_forecaster.md`` says how to add one."""

import inspect
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from cdn.errors import CdnError, UnknownNameError
from cdn.forecasting.damped_trend import damped_trend
from cdn.forecasting.empirical_bayes import empirical_bayes
from cdn.forecasting.ensemble import ensemble
from cdn.forecasting.exponential import exponential
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.gradient_boosting import gradient_boosting
from cdn.forecasting.last_day import last_day
from cdn.forecasting.launch_curves import launch_curves
from cdn.forecasting.low_rank import low_rank
from cdn.forecasting.moving_average import moving_average
from cdn.forecasting.seasonal_naive import seasonal_naive
from cdn.forecasting.shrinkage import shrinkage

FORECASTERS: dict[str, Forecaster] = {
    "last_day": last_day,
    "moving_average": moving_average,
    "exponential": exponential,
    "seasonal_naive": seasonal_naive,
    "shrinkage": shrinkage,
    "damped_trend": damped_trend,
    "empirical_bayes": empirical_bayes,
    "launch_curves": launch_curves,
    "low_rank": low_rank,
    "gradient_boosting": gradient_boosting,
    "ensemble": ensemble,
}

LOOK_BACK = ("ensemble",)
"""Those that take ``past: PastForecasts``, what was forecast before."""

FOLLOW_CALENDAR = ("empirical_bayes", "launch_curves", "low_rank", "gradient_boosting", "ensemble")
"""Those that look at the calendar of what is known in advance."""


def check_follows_calendar(method: str) -> None:
    """Raises CdnError for a method that would pass over a calendar."""
    if method not in FOLLOW_CALENDAR:
        raise CdnError(f"the method {method} does not look at a calendar; those that do: {', '.join(FOLLOW_CALENDAR)}")


def forecaster_of(name: str) -> Forecaster:
    """The forecaster of that name. Raises UnknownNameError."""
    if name not in FORECASTERS:
        raise UnknownNameError("forecasting method", name, list(FORECASTERS))
    return FORECASTERS[name]


def parameters_of(name: str) -> dict[str, Any]:
    """The parameters of a forecaster and their defaults; what was forecast before is none. Raises UnknownNameError."""
    signature = inspect.signature(forecaster_of(name))
    return {parameter.name: parameter.default for parameter in signature.parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name != "past"}


_NUMBERS: dict[type, type] = {int: Integral, float: Real}
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", NoneType: "null"}


def checked_parameters(method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, all known to the method and of a type it takes. Raises UnknownNameError, CdnError."""
    known = parameters_of(method)
    annotations = inspect.get_annotations(forecaster_of(method))
    for name, value in parameters.items():
        if name not in known:
            raise UnknownNameError(f"parameter of {method}", name, list(known))
        kinds = _kinds(annotations[name])
        if not _is_one_of(value, kinds):
            expected = " or ".join(_KINDS.get(kind, f"a {kind.__name__}") for kind in kinds)
            raise CdnError(f"forecasting method {method}: {name} is {expected}, not {value!r}")
    return parameters


def _kinds(annotation: Any) -> list[type]:
    alternatives = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return [get_origin(one) or one for one in alternatives]


def _is_one_of(value: Any, kinds: list[type]) -> bool:
    """A whole number is a number, true and false are none."""
    if isinstance(value, bool):
        return bool in kinds
    return any(isinstance(value, _NUMBERS.get(kind, kind)) for kind in kinds)

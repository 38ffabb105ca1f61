"""What a forecaster is: a plain function."""

from typing import Any, Protocol

from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.history import History


class Forecaster(Protocol):
    """Expected requests on day number ``day``, from a history that ends before it and has at least one observed day,
    and from ``knowledge: Knowledge = NOTHING_KNOWN``, the third argument: what is known in advance of titles, regions
    and days (each part may be missing).

    Parameters are keyword-only, with defaults; a value that makes no sense raises ValueError.
    """

    def __call__(self, history: History, day: int, *args: Any, **parameters: Any) -> ExpectedRequests: ...

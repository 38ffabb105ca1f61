"""Forecasts made before, to be used again: in a rolling origin most days an ensemble looks back on were seen before."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cdn.forecasting.history import History
from cdn.forecasting.knowledge import Knowledge

KEPT = 512
Found = TypeVar("Found")


class PastForecasts:
    """The last ``kept`` forecasts, each under all it depends on: what it is, the day, the knowledge, and the window's
    digests of its counts. So a forecast recalled is the one that would be made, to the last bit, and a history that
    differs in one count is another history."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._found: OrderedDict[tuple, tuple[Any, Knowledge]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def recalled(self, what: Hashable, history: History, window: tuple[int, int], day: int, knowledge: Knowledge,
                 make: Callable[[], Found]) -> Found:
        """What ``make`` gives, or gave before. ``what``: method and parameters; ``window`` (until_day, n_days): all of
        the history that ``make`` looks at."""
        until_day, n_days = window
        end = max(until_day - history.first_day, 0)
        digests = history.day_digests[max(end - n_days, 0):end]
        # The knowledge is kept too: so long no other object has its identity.
        key = (what, day, id(knowledge), until_day, len(history.region_index), len(history.asset_index), digests)
        if key not in self._found:
            self._found[key] = make(), knowledge
        found = self._found[key][0]
        self._found.move_to_end(key)
        while len(self._found) > self._kept:
            self._found.popitem(last=False)
        return found

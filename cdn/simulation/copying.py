"""Copy rules: which of the caches that a request passed in vain take a copy on its way back.

Laoutaris, Che, Stavrakakis, "The LCD interconnection of LRU caches and its analysis", Performance Evaluation 63, 2006;
names as in icarus (Saino, Psaras, Pavlou, "Icarus: a caching simulator for information centric networking", SIMUTOOLS
2014): its strategies LCE, LCD, EDGE and NO_CACHE.
"""

from collections.abc import Callable

import numpy as np

from cdn.errors import UnknownNameError


def leave_copy_everywhere(position: int, is_last: bool) -> bool:
    """All of them."""
    return True


def leave_copy_down(position: int, is_last: bool) -> bool:
    """Only the last one, just below where the request was served: an asset climbs down one cache per request."""
    return is_last


def leave_copy_at_edge(position: int, is_last: bool) -> bool:
    """Only the first cache on the region's way, nearest to the client."""
    return position == 0


def leave_no_copy(position: int, is_last: bool) -> bool:
    """None: pins alone serve."""
    return False


# (position, is_last) -> bool: the position on the request's way, 0 nearest to the client, and whether it is the last
# one that was passed in vain.
COPY_RULES: dict[str, Callable[[int, bool], bool]] = {
    "edge": leave_copy_at_edge,
    "lcd": leave_copy_down,
    "lce": leave_copy_everywhere,
    "nocopy": leave_no_copy,
}
DEFAULT_COPY_RULE = "lce"


def copy_table(name: str, n_levels: int) -> np.ndarray:
    """(n_levels, 2) bool: the rule for each position, and whether it is the last. Raises UnknownNameError."""
    if name not in COPY_RULES:
        raise UnknownNameError("copy rule", name, list(COPY_RULES))
    rule = COPY_RULES[name]
    return np.array([[rule(at, is_last) for is_last in (False, True)] for at in range(n_levels)], dtype=bool)

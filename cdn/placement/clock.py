"""Time that a placer may take, from when it began."""

import time
from dataclasses import dataclass, field

LEAST_S = 0.01
"""What a solver is given at least: it takes no limit of less than nothing."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Time since the start, against a limit in seconds (None: no limit)."""

    limit_s: float | None
    started: float = field(default_factory=time.monotonic)

    def is_past(self, share: float = 1.0) -> bool:
        """Whether more than a share of the time is over."""
        return self.limit_s is not None and time.monotonic() - self.started > share * self.limit_s

    def left_s(self, share: float = 1.0) -> float | None:
        """A share of the seconds that are left (None: no limit)."""
        if self.limit_s is None:
            return None
        return max(share * (self.limit_s - (time.monotonic() - self.started)), LEAST_S)

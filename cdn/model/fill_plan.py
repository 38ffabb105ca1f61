"""The fill plan: ordered removals and additions per appliance, with source and time."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen

REMOVE, ADD = "remove", "add"


@dataclass(frozen=True, eq=False)
class FillPlan:
    """N steps in the order they are carried out. Times are int64 microseconds since 1970 UTC; a removal takes no time.

    ``appliance`` (N,) position in the topology's appliances; ``add`` (N,) bool; ``asset`` (N,); ``source`` (N,) site
    (origin = S) that an addition is copied from, -1 for removals.
    """

    start_us: np.ndarray
    end_us: np.ndarray
    appliance: np.ndarray
    add: np.ndarray
    asset: np.ndarray
    source: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("start_us", np.int64), ("end_us", np.int64), ("appliance", np.int32), ("add", bool),
                            ("asset", np.int32), ("source", np.int32)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
            if getattr(self, name).shape != self.start_us.shape:
                raise ValueError(f"{name} differs in length")

    def __len__(self) -> int:
        return len(self.start_us)


@dataclass(frozen=True, eq=False)
class StoredNow:
    """What each appliance holds: P pairs ``appliance`` (P,) int32, ``asset`` (P,) int32, no pair twice."""

    appliance: np.ndarray
    asset: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "appliance", frozen(self.appliance, np.int32))
        object.__setattr__(self, "asset", frozen(self.asset, np.int32))

    @classmethod
    def nothing(cls) -> "StoredNow":
        return cls(np.zeros(0), np.zeros(0))

    def __len__(self) -> int:
        return len(self.asset)

"""A placement: which site stores which assets, and which share of each region's demand it serves."""

from dataclasses import dataclass, fields

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.branching import Branching
from cdn.model.site_assets import SiteAssets


@dataclass(frozen=True, eq=False)
class Routing:
    """Shares of demand entries served by caches; what is left of an entry goes to the origin.

    ``entry`` (M,) int64 position in the demand's entries, ``site`` (M,) int32 cache, ``share`` (M,) in (0, 1].
    """

    entry: np.ndarray
    site: np.ndarray
    share: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("entry", np.int64), ("site", np.int32), ("share", np.float64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if not len(self.entry) == len(self.site) == len(self.share):
            raise ValueError("entry, site and share differ in length")

    def __len__(self) -> int:
        return len(self.entry)


@dataclass(frozen=True, eq=False)
class Placement:
    """What each cache stores. Without ``routing`` each entry is served by its cheapest site that stores the asset.

    ``level`` (P,) belongs to a fractional placement (a linear relaxation): how much of each stored pair is there;
    None means all of it.
    """

    stored: SiteAssets
    routing: Routing | None = None
    level: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.level is not None:
            object.__setattr__(self, "level", frozen(self.level, np.float64))
            if self.level.shape != (len(self.stored),):
                raise ValueError("level does not fit the stored pairs")

    @property
    def levels(self) -> np.ndarray:
        """(P,) level of each stored pair."""
        return np.ones(len(self.stored)) if self.level is None else self.level


@dataclass(frozen=True, eq=False)
class Prices:
    """Dual prices: what one more unit of each limit is worth. Any such prices give a lower bound on the cost.

    ``storage`` and ``fill`` (S,) per byte, ``egress`` (H, S) and ``link`` (H, 2 L) per bit/s with H the demand's peak
    hours, all >= 0; ``serve`` (N,) cost credited to each demand entry. ``branching``: assets whose part of the bound is
    proved case by case; for these ``serve`` is not used.
    """

    storage: np.ndarray
    fill: np.ndarray
    egress: np.ndarray
    link: np.ndarray
    serve: np.ndarray
    branching: Branching | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.branching, Branching | None):
            raise TypeError("branching must be a Branching or None")
        for name in ("storage", "fill", "egress", "link", "serve"):
            values = frozen(getattr(self, name), np.float64)
            if not np.isfinite(values).all():
                raise ValueError(f"{name} prices must be finite")
            object.__setattr__(self, name, values)


@dataclass(frozen=True, eq=False)
class PlacerResult:
    """What a placer returns. ``status``: ``optimal``, ``feasible``; ``reason``: why it stopped, in words.

    ``relaxed``: the fractional optimum the placement was rounded from, with ``relaxed_cost`` as the solver states it.
    ``solver_bound``: a lower bound that branch and bound proved but prices cannot show.
    """

    placement: Placement
    status: str
    reason: str
    prices: Prices | None = None
    solver_bound: float | None = None
    relaxed: Placement | None = None
    relaxed_cost: float | None = None


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is claimed of a placement, and the prices that prove its bound.

    ``gap`` = (cost - lower_bound) / cost, None without a bound. ``solver_bound``: a tighter bound that branch and bound
    states and no price proves. ``seconds`` None where the writer keeps timings elsewhere. ``robust``: the rule the
    placement was made by and the ``seed`` of what it draws; None where it was made for what is expected.
    """

    method: str
    status: str
    reason: str
    cost: float
    delivery_cost: float
    fill_cost: float
    lower_bound: float | None
    gap: float | None
    solver_bound: float | None
    seconds: float | None
    prices: Prices | None
    robust: str | None = None
    seed: int | None = None

    @property
    def figures(self) -> dict[str, str | float | None]:
        """Everything but the prices, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "prices"}

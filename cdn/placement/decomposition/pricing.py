"""How prices move from pass to pass.

The blocks are many and small, so each limit's load falls smoothly as its price rises, about as a power of it (popularity is
Zipf-like). First a multiplicative step per limit, price <- price (load / limit)^a, with its own exponent a: larger while the
imbalance keeps its sign, smaller when it flips (the rule of RPROP, Riedmiller & Braun 1993). That settles in some fifteen
passes. Where blocks are few the loads jump and it stalls; then Polyak's step towards the best known placement, on
subgradients scaled by price / limit and averaged (Camerini, Fratta & Maffioli 1975), from the best prices so far.
"""

from dataclasses import dataclass, field

import numpy as np

from cdn.placement.decomposition.blocks import BlockData, Limits

FIRST_EXPONENT, LEAST_EXPONENT, MOST_EXPONENT = 0.4, 0.02, 1.0
WIDEN, NARROW = 1.15, 0.6
MOST_LOG_STEP = 1.5
FIRST_SHARE = 0.05
LEAST_SHARE = 1e-7
AVERAGING = 0.6
PATIENCE = 5


@dataclass(eq=False)
class PriceSteps:
    """Prices (rows,) of the limits and the state of their steps. ``typical`` (rows,): a price of the right size, which
    limits that are overrun for the first time start from."""

    limits: Limits
    typical: np.ndarray
    price: np.ndarray
    exponent: np.ndarray = field(init=False)
    last: np.ndarray | None = None
    direction: np.ndarray | None = None
    share: float = 1.0
    waited: int = 0
    best_saving: float = np.inf
    best_price: np.ndarray = field(init=False)
    best_slack: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.exponent = np.full(len(self.price), FIRST_EXPONENT)
        self.best_price = self.price.copy()

    def note(self, saving_bound: float, load: np.ndarray) -> None:
        """Takes in what a pass at ``price`` found: the bound on the saving (limits' worth included) and the loads."""
        self.waited += 1
        if saving_bound < self.best_saving:
            if saving_bound < self.best_saving * (1 - 1e-5):
                self.waited = 0
            self.best_saving, self.best_price = saving_bound, self.price.copy()
            self.best_slack = self._slack(load)

    def _priced(self) -> np.ndarray:
        return np.isfinite(self.limits.limit) & (self.limits.limit > 0)

    def _slack(self, load: np.ndarray) -> np.ndarray:
        return np.where(self._priced(), self.limits.limit - load, 0.0)

    def imbalance(self, load: np.ndarray) -> float:
        """Worth of what is over or short of the limits, at these prices."""
        return float(self.price @ np.abs(self._slack(load)))

    def step_by_load(self, load: np.ndarray) -> None:
        """The multiplicative step."""
        priced = self._priced()
        limit = np.where(priced, self.limits.limit, 1.0)
        with np.errstate(divide="ignore"):
            log_load = np.where(priced, np.log(load / limit), 0.0)
        log_load = np.clip(log_load, -MOST_LOG_STEP, MOST_LOG_STEP)
        if self.last is not None:
            kept = np.sign(log_load) == np.sign(self.last)
            self.exponent = np.clip(self.exponent * np.where(kept, WIDEN, NARROW), LEAST_EXPONENT, MOST_EXPONENT)
        self.last = log_load
        first_time = (self.price == 0) & (log_load > 0)
        price = np.where(first_time, 0.02 * self.typical, self.price) * np.exp(self.exponent * log_load)
        self.price = np.where(priced & (price >= LEAST_SHARE * self.typical), price, 0.0)

    def step_towards(self, saving: float, saving_bound: float, load: np.ndarray) -> None:
        """Polyak's step; ``saving``: of the best placement known."""
        priced = self._priced()
        if self.waited > PATIENCE:
            self.share, self.waited, self.direction = max(self.share * 0.5, 0.01), 0, None
            self.price = self.best_price.copy()
            load_slack = self.best_slack
            saving_bound = self.best_saving
        else:
            load_slack = self._slack(load)
        scale = np.where(priced, np.maximum(self.price, 0.02 * self.typical) / np.where(priced, self.limits.limit, 1.0), 0.0)
        slope = np.where((self.price <= 0) & (load_slack > 0), 0.0, load_slack)
        self.direction = slope if self.direction is None else AVERAGING * self.direction + (1 - AVERAGING) * slope
        square = float(scale @ self.direction**2)
        if square > 0:
            step = self.share * max(saving_bound - saving, 1e-9 * abs(saving_bound)) / square
            change = np.clip(step * scale * self.direction, -0.5 * np.maximum(self.price, self.typical), 0.5 * self.price)
            self.price = np.maximum(self.price - change, 0.0)


def typical_prices(blocks: BlockData, limits: Limits) -> np.ndarray:
    """(rows,) prices of the right size: a small share of what storage would earn did it save all there is to save."""
    most = np.zeros(len(blocks.pair_indptr) - 1)
    nonempty = np.diff(blocks.pair_indptr) > 0
    most[nonempty] = blocks.pair_saving[blocks.pair_indptr[:-1][nonempty]]
    volume = np.bincount(blocks.region, weights=blocks.bytes, minlength=len(most))
    rate = np.bincount(blocks.region, weights=blocks.peak_bps, minlength=len(most))
    total = float(most @ volume)
    n = limits.n_caches
    per_byte = total / max(float(blocks.size.sum()), 1.0)
    per_bps = total / max(float(rate.sum()), 1e-300)
    return np.concatenate([np.full(2 * n, FIRST_SHARE * per_byte), np.full(len(limits.limit) - 2 * n, FIRST_SHARE * per_bps)])


def first_prices(typical: np.ndarray, limits: Limits) -> np.ndarray:
    """Typical prices on storage where it is limited, nothing on the rest."""
    price = np.zeros(len(typical))
    n = limits.n_caches
    limited = np.isfinite(limits.limit[:n]) & (limits.limit[:n] > 0)
    price[:n] = np.where(limited, typical[:n], 0.0)
    return price

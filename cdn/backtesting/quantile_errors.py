"""Forecast quantiles against the day: quantile loss; coverage is ``cdn.forecasting.coverage``.

The quantile (pinball) loss of quantile q at level p is p (y - q) where y >= q, (1 - p)(q - y) below; its expectation is
least at the true quantile (R. Koenker, G. Bassett, Regression quantiles, Econometrica 46, 1978).
"""

import numpy as np

from cdn.model.demand import Demand


def quantiles_of(demand: Demand) -> dict[float, np.ndarray]:
    """Level -> (N,) bytes, for each quantile that a forecast has; empty where it only has the mean.

    The demand file calls them ``bytes_p10``, ``bytes_p90``; a demand that carries them has attributes of these names.
    """
    found = {level: getattr(demand, f"bytes_p{100 * level:.0f}", None) for level in (0.1, 0.5, 0.9)}
    return {level: np.asarray(values, dtype=float) for level, values in found.items() if values is not None}


def quantile_loss(true: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    """(N,) loss of each pair, in the unit of the values.

    >>> quantile_loss(np.array([10.0, 2.0]), np.array([4.0, 4.0]), 0.9).round(6).tolist()
    [5.4, 0.2]
    """
    above = true - quantile
    return np.where(above >= 0, level * above, (level - 1) * above)

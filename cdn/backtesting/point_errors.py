"""How far off a forecast is: WAPE and bias, as sums that may be added up over days and groups before they are divided.

WAPE = sum |forecast - true| / sum true (S. Kolassa, W. Schuetz, Advantages of the MAD/mean ratio over the MAPE,
Foresight 6, 2007): it is defined where single counts are 0, as most are. Bias = (sum forecast - sum true) / sum true.
"""

import numpy as np


def absolute_errors(true: np.ndarray, forecast: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """(G,) sum of |forecast - true| over the pairs of each group; ``true``, ``forecast``, ``group`` (N,)."""
    return np.bincount(group, np.abs(forecast - true), n_groups)


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """part / whole, NaN where the whole is 0: WAPE of absolute errors over true requests, offload of bytes, ..."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def wape(true: np.ndarray, forecast: np.ndarray) -> float:
    """Weighted absolute percentage error of (N,) pairs; NaN where nothing was asked for.

    >>> wape([4, 1, 0], [3, 1, 1])
    0.4
    """
    true, forecast = np.asarray(true, dtype=float), np.asarray(forecast, dtype=float)
    return float(ratio(np.abs(forecast - true).sum(), true.sum()))


def bias(true: np.ndarray, forecast: np.ndarray) -> float:
    """Relative excess of the forecast's total; NaN where nothing was asked for.

    >>> bias([4, 1, 0], [3, 1, 2])
    0.2
    """
    true, forecast = np.asarray(true, dtype=float), np.asarray(forecast, dtype=float)
    return float(ratio(forecast.sum() - true.sum(), true.sum()))

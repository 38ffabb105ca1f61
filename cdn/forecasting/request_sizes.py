"""Bytes per request of every asset, from the log, and from the asset's size where the log says little."""

import numpy as np

from cdn.forecasting.history import History

PRIOR_REQUESTS = 5.0


def bytes_per_request(history: History, size_bytes: np.ndarray, prior_requests: float = PRIOR_REQUESTS) -> np.ndarray:
    """(A,) expected bytes of a request: (bytes_a + m g size_a) / (requests_a + m), m = ``prior_requests``.

    ``g`` is the share of the assets' sizes that requests transfer over the whole log (below 1 where clients stop early
    or ask for ranges), so that an asset never seen is expected to send its size times that share.
    """
    requests = np.bincount(history.asset, history.requests, len(size_bytes))
    sent = np.bincount(history.asset, history.bytes, len(size_bytes))
    whole = float((requests * size_bytes).sum())
    transferred = sent.sum() / whole if whole > 0 else 1.0
    return (sent + prior_requests * transferred * size_bytes) / (requests + prior_requests)


def size_variance(history: History, mean_bytes: np.ndarray) -> float:
    """Squared relative sd of the bytes of a request about its asset's mean (A,), one for all assets: from entries of n
    requests and b bytes, sum (b - n mean)^2 / sum n mean^2."""
    mean = mean_bytes[history.asset]
    weight = float((history.requests * mean**2).sum())
    return float(((history.bytes - history.requests * mean) ** 2).sum()) / weight if weight > 0 else 0.0

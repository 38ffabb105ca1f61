"""Traces made from a seed alone, for counts that are compared to the request."""

import numpy as np

N_REQUESTS = 60_000


def zipf(rng, n_requests, n_objects, exponent):
    shares = np.cumsum(np.arange(1, n_objects + 1) ** -exponent)
    return np.searchsorted(shares / shares[-1], rng.random(n_requests)).astype(np.int64)


def skewed():
    """Zipf 0.9 over 5,000 objects of heavy-tailed sizes."""
    rng = np.random.default_rng(11)
    ids = zipf(rng, N_REQUESTS, 5000, 0.9)
    return ids, np.maximum(1, np.exp(7 + 1.5 * np.sqrt(2) * (rng.random(5000) * 4 - 2)).astype(np.int64))


def equal():
    """Zipf 0.7 over 3,000 objects of 1,000 bytes, with scans over 20,000 objects asked for once."""
    rng = np.random.default_rng(12)
    ids = zipf(rng, N_REQUESTS, 3000, 0.7)
    ids[rng.random(N_REQUESTS) < 0.2] = -1
    scanned = np.flatnonzero(ids < 0)
    ids[scanned] = 3000 + np.arange(len(scanned)) % 20_000
    return ids, np.full(23_000, 1000, dtype=np.int64)


def drifting():
    """What is popular moves on: each tenth of the trace is Zipf 1 over the next 1,000 of 6,000 objects; small sizes."""
    rng = np.random.default_rng(13)
    ids = zipf(rng, N_REQUESTS, 3000, 1.0) + np.arange(N_REQUESTS) * 10 // N_REQUESTS * 300
    return ids, 1 + (rng.random(6000) * 4000).astype(np.int64)


TRACES = {"skewed": skewed, "equal": equal, "drifting": drifting}
CAPACITY_SHARES = (0.005, 0.02, 0.1, 0.3)


def capacities(ids, size_bytes, shares=CAPACITY_SHARES):
    footprint = int(size_bytes[np.unique(ids)].sum())
    return [int(share * footprint) for share in shares]

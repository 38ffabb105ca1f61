"""Streams of requests as caches, bounds and curves take them, checked once."""

import numpy as np

MAX_REQUESTS = 2**31 - 1
MAX_BYTES = 2**62


def checked_stream(asset: np.ndarray, size_bytes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int32 assets and (n_assets,) int64 sizes. Raises ValueError for assets without a size, negative sizes, more
    than 2**31 - 1 requests, and more than 2**62 bytes in all requests or all assets together."""
    asset, size_bytes = np.asarray(asset), np.asarray(size_bytes, dtype=np.int64)
    if len(asset) > MAX_REQUESTS:
        raise ValueError(f"a stream has at most {MAX_REQUESTS} requests, not {len(asset)}")
    if len(asset) and (asset.min() < 0 or asset.max() >= len(size_bytes)):
        raise ValueError(f"assets must be 0..{len(size_bytes) - 1}, found {asset.min()}..{asset.max()}")
    if len(size_bytes) and size_bytes.min() < 0:
        raise ValueError("size_bytes must not be negative")
    asset = asset.astype(np.int32, copy=False)
    if size_bytes.sum(dtype=np.float64) > MAX_BYTES or _may_exceed(asset, size_bytes):
        raise ValueError("the assets, and all requests, must not exceed 2**62 bytes together")
    return asset, size_bytes


def checked_capacity(capacity_bytes: float) -> int:
    """Whole bytes, at most 2**62: a fraction of a byte stores nothing. Raises ValueError where it is negative."""
    if not capacity_bytes >= 0:
        raise ValueError(f"capacity_bytes must not be negative, got {capacity_bytes}")
    return int(min(capacity_bytes, MAX_BYTES))


def _may_exceed(asset: np.ndarray, size_bytes: np.ndarray) -> bool:
    if not len(asset) or float(size_bytes.max()) * len(asset) <= MAX_BYTES:
        return False
    return size_bytes[asset].sum(dtype=np.float64) > MAX_BYTES

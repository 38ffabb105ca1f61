"""Exact duplicates in a log that is in time order: rows alike in every column to an earlier row."""

import numpy as np

from cdn.compilation import kernel


@kernel
def duplicate_mask(time_us, region, asset, byte_count, session):  # pragma: no cover - compiled
    """(N,) bool: an earlier row has the same time, region, asset, bytes and session hash. ``time_us`` is ascending.

    Duplicates share their time, so each stretch of equal time is sorted by a mix of its other columns, and only rows of
    equal mix are compared, column by column.
    """
    n = len(time_us)
    mask = np.zeros(n, dtype=np.bool_)
    start = 0
    while start < n:
        end = start + 1
        while end < n and time_us[end] == time_us[start]:
            end += 1
        if end - start > 1:
            mix = np.empty(end - start, dtype=np.uint64)
            for k in range(start, end):
                h = np.uint64(asset[k]) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(byte_count[k])
                h = (h ^ (h >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) ^ np.uint64(region[k])
                h = (h ^ (h >> np.uint64(32))) * np.uint64(0x94D049BB133111EB) ^ session[k]
                mix[k - start] = h
            order = np.argsort(mix, kind="mergesort") + start
            run = 0
            for i in range(1, len(order)):
                if mix[order[i] - start] != mix[order[run] - start]:
                    run = i
                for j in range(run, i):
                    a, b = order[i], order[j]
                    if (not mask[b] and asset[a] == asset[b] and region[a] == region[b]
                            and byte_count[a] == byte_count[b] and session[a] == session[b]):
                        mask[a] = True
                        break
        start = end
    return mask

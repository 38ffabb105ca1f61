"""When each request's object is asked for next: what a clairvoyant policy and every offline bound start from."""

import numpy as np

from cdn.compilation import kernel


@kernel
def next_uses(ids, n_ids):
    """(N,) int32: the position of the next request of the same object; N where there is none. One backward pass.

    ``ids`` (N,) integers in 0..n_ids-1.
    """
    n = len(ids)
    following = np.full(n_ids, n, dtype=np.int32)
    result = np.empty(n, dtype=np.int32)
    for k in range(n - 1, -1, -1):
        result[k] = following[ids[k]]
        following[ids[k]] = k
    return result

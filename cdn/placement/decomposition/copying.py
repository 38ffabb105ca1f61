"""Copies between arrays, entry by entry: an assignment to a slice makes numba compile, into every kernel that has one,
the text of the error it would raise for shapes that differ, which is more code than the rest."""

import numpy as np

from cdn.compilation import inlined, routine


@routine
def copy_first(n, values, into):
    """Copies the first ``n`` values of an array (N,)."""
    for k in range(n):
        into[k] = values[k]


@inlined
def with_more_room(rows, values, least):
    """The same rows (N, K) and values (N,) with as much room again, and for at least so many more."""
    n = len(values)
    longer, more = np.empty((2 * n + least, rows.shape[1]), dtype=rows.dtype), np.empty(2 * n + least)
    for k in range(n):
        more[k] = values[k]
        for j in range(rows.shape[1]):
            longer[k, j] = rows[k, j]
    return longer, more

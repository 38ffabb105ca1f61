"""Copies between arrays, entry by entry: an assignment to a slice makes numba compile, into every kernel that has one,
the text of the error it would raise for shapes that differ, which is more code than the rest."""

from cdn.compilation import routine


@routine
def copy_first(n, values, into):
    """Copies the first ``n`` values of an array (N,)."""
    for k in range(n):
        into[k] = values[k]

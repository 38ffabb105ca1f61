"""Frozen arrays: what a model object holds can be read by all and written by nobody."""

from typing import Any

import numpy as np


def frozen(values: Any, dtype: Any) -> np.ndarray:
    """A read-only array of ``dtype`` that no one else can write.

    An array that is already frozen and owns its data is passed through, so replacing one field
    of a large problem does not copy the others.
    """
    given = isinstance(values, np.ndarray) and values.dtype == np.dtype(dtype)
    if given and not values.flags.writeable and values.base is None:
        return values
    array = np.array(values, dtype=dtype, copy=True)
    array.flags.writeable = False
    return array


def csr_indptr(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Row pointers (n_rows + 1,) of entries whose row numbers ``rows`` are sorted."""
    indptr = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
    return indptr


def rows_of(indptr: np.ndarray) -> np.ndarray:
    """Row number of every entry of a CSR structure, the inverse of ``csr_indptr``."""
    return np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))

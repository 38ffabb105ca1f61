"""The compiled search for duplicates against pandas' own."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.logs.duplicates import duplicate_mask

FEW = st.integers(0, 2)
ROW = st.tuples(FEW, FEW, FEW, FEW, st.sampled_from([0, 7, 2**64 - 1]))


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, max_size=40))
def test_the_same_rows_as_pandas_finds(rows):
    rows = sorted(rows, key=lambda row: row[0])
    dtypes = (np.int64, np.int32, np.int32, np.int64, np.uint64)
    columns = [np.array([row[k] for row in rows], dtype=dtype) for k, dtype in enumerate(dtypes)]
    frame = pd.DataFrame(dict(zip("trabs", columns, strict=True)))
    assert list(duplicate_mask(*columns)) == list(frame.duplicated())

"""Kernels see in a record of arrays what Python sees, and write where Python reads."""

from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cdn.array_records import ArrayRecord
from cdn.compilation import kernel, routine


@dataclass(frozen=True, eq=False)
class Shelves(ArrayRecord):
    """``size`` (n,), ``label`` (n, 2) and ``full`` (n,), and how many of them count."""

    size: np.ndarray
    label: np.ndarray
    full: np.ndarray
    count: int


@routine
def _mark(shelves, k):
    shelves.full[k] = shelves.size[k] > 0
    shelves.label[k, 1] = shelves.label[k, 0] + k
    return shelves.size[k]


@kernel
def mark_all(shelves):
    total = 0.0
    for k in range(shelves.count):
        total += _mark(shelves, k)
    return total, len(shelves.size), shelves.label.shape, shelves.label.strides, shelves.size.itemsize


@settings(deadline=None)
@given(
    size=hnp.arrays(np.float64, st.integers(0, 20), elements=st.integers(-9, 9)),
    first=hnp.arrays(np.int32, 20, elements=st.integers(-99, 99)),
    data=st.data(),
)
def test_kernels_read_and_write_what_python_does(size, first, data):
    n = len(size)
    label = np.stack([first[:n], np.zeros(n, dtype=np.int32)], axis=1)
    count = data.draw(st.integers(0, n))
    shelves = Shelves(size, label, np.zeros(n, dtype=np.bool_), count)
    assert mark_all(shelves) == (size[:count].sum(), n, label.shape, label.strides, 8)
    assert np.array_equal(shelves.full, (size > 0) & (np.arange(n) < count))
    assert np.array_equal(label[:count, 1], label[:count, 0] + np.arange(count)) and not label[count:, 1].any()


@kernel
def dot(shelves):
    total = 0.0
    for k in range(len(shelves.size)):
        total += shelves.size[k] * shelves.label[k, 0]
    return total


@pytest.mark.parametrize("every", [2, -1])
def test_arrays_need_not_be_contiguous(every):
    size, label = np.arange(12.0)[::every], np.arange(48).reshape(4, 12).T[::every, ::2]
    assert dot(Shelves(size, label, np.empty(0), 0)) == size @ label[:, 0]


def test_a_kernel_is_compiled_anew_for_other_types_and_for_arrays_that_are_read_only():
    @kernel
    def first(shelves):
        return shelves.size[0]

    locked = np.ones(1)
    locked.flags.writeable = False
    for size in (np.zeros(1), np.ones(1), np.ones(1, dtype=np.int32), locked):
        assert first(Shelves(size, np.zeros((1, 2)), np.zeros(1), 1)) == size[0]
    assert len(first.signatures) == 3


def test_fields_are_not_replaced():
    shelves = Shelves(np.zeros(1), np.zeros((1, 2)), np.zeros(1), 1)
    with pytest.raises(FrozenInstanceError):
        shelves.size = np.ones(1)

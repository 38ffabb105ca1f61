"""The dispersion at which intervals hold what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.forecasting.coverage import DISPERSIONS, covered, covering_dispersions

NO_GROUP = np.zeros(4000, dtype=int)


def drawn(phi: float, mean: float, n: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.poisson(rng.gamma(1 / phi, phi * mean, n))


@pytest.mark.parametrize("phi", [0.2, 1.0])
@pytest.mark.parametrize("mean", [3.0, 50.0])
def test_a_known_dispersion_is_found_again(phi, mean):
    found = covering_dispersions(drawn(phi, mean), np.full(4000, mean), NO_GROUP, 1, 0.8)
    assert found[0] == pytest.approx(phi, rel=0.25)


@given(st.sampled_from([0.5, 0.7, 0.8, 0.9]))
def test_the_share_asked_for_is_covered(share):
    count, mean = drawn(0.6, 20.0), np.full(4000, 20.0)
    phi = covering_dispersions(count, mean, NO_GROUP, 1, share)
    assert covered(count, mean, np.full(4000, phi[0])).mean() == pytest.approx(share, abs=0.03)


def test_a_group_of_few_counts_takes_that_of_all():
    """The second group is drawn more widely, of the third there are ten."""
    count = np.concatenate([drawn(0.1, 30.0), drawn(1.5, 30.0), drawn(0.1, 30.0, 10)])
    group, mean = np.repeat([0, 1, 2], [4000, 4000, 10]), np.full(8010, 30.0)
    narrow, wide, few = covering_dispersions(count, mean, group, 3, 0.8)
    assert narrow < few < wide
    assert few == covering_dispersions(count, mean, np.zeros(8010, dtype=int), 1, 0.8)[0]


def test_the_order_of_counts_does_not_matter():
    count, order = drawn(0.5, 8.0), np.random.default_rng(1).permutation(4000)
    mean = np.linspace(4, 12, 4000)
    found, shuffled = (covering_dispersions(count[rows], mean[rows], NO_GROUP, 1, 0.8)
                       for rows in (np.arange(4000), order))
    assert found == shuffled


def test_where_no_dispersion_covers_enough_it_is_the_one_that_covers_most():
    count, mean = np.full(100, 1000.0), np.full(100, 1.0)
    found = covering_dispersions(count, mean, np.zeros(100, dtype=int), 1, 0.8)
    assert found[0] in DISPERSIONS

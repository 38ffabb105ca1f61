"""The decision loss worked out by hand, and against a dense table of every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cdn.forecasting.decision_loss import PairBytes, bytes_lost, marginal_prices

SIZE = np.array([10, 20, 30])
TABLE = arrays(np.int64, (3, 2), elements=st.integers(0, 200))


def pairs(table) -> PairBytes:
    """``table`` (A, R)."""
    asset, region = np.nonzero(table)
    return PairBytes.of_pairs(region, asset, table[asset, region], 2)


def test_a_left_out_asset_loses_its_bytes_above_its_room_and_a_stored_one_its_room_above_its_bytes():
    """Price 2 in region 0: rooms 20, 40, 60. True 50, 10, 70; forecast 15, 45, 65. Asset 0 is left out: 50 - 20 = 30;
    asset 1 is stored for nothing: 40 - 10 = 30; asset 2 is right however far off. Region 1 has no demand at all."""
    true = pairs(np.array([[50, 0], [10, 0], [70, 0]]))
    forecast = pairs(np.array([[15, 0], [45, 0], [65, 0]]))
    assert bytes_lost(true, forecast, SIZE, np.array([2.0, 2.0])).tolist() == [60, 0]


def test_the_price_is_that_of_the_first_asset_that_does_not_fit():
    """Densities 5, 2, 1 in region 0: 10 + 20 bytes fit into 30 and the third would not. Region 1 takes all it wants."""
    demand = pairs(np.array([[50, 5], [40, 0], [30, 0]]))
    assert marginal_prices(demand, SIZE, np.array([30, 30])).tolist() == [1, 0]
    assert marginal_prices(demand, SIZE, np.array([9, 9])).tolist() == [5, 0.5]


@settings(max_examples=200, deadline=None)
@given(TABLE, TABLE, arrays(float, 2, elements=st.floats(0.1, 10)))
def test_it_is_the_sum_over_all_pairs_and_what_a_priced_placement_loses(true, forecast, price):
    """Against the table, and as the worth of the clairvoyant choice less the worth of the forecast's."""
    room = SIZE[:, None] * price
    worth = np.where(true >= room, true - room, 0.0) - np.where(forecast >= room, true - room, 0.0)
    lost = bytes_lost(pairs(true), pairs(forecast), SIZE, price)
    np.testing.assert_allclose(lost, worth.sum(axis=0), atol=1e-9)
    assert (lost >= 0).all() and (bytes_lost(pairs(true), pairs(true), SIZE, price) == 0).all()


def test_keys_out_of_order_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        PairBytes([3, 2], [1, 1])

"""How much is tried for a gap."""

import pytest

from cdn.placement.decomposition.efforts import FULL, LIMITED, ONWARD_STEP, QUICK, efforts
from cdn.placement.decomposition.pricing import WARM


def test_without_a_gap_all_is_done_at_once():
    assert efforts(None, warm=False, limited=False) == [FULL]
    assert efforts(None, warm=False, limited=True) == [LIMITED]


@pytest.mark.parametrize(("gap", "tries"), [(0.0, 1), (0.001, 1), (0.002, 2), (0.01, 3)])
def test_the_looser_the_gap_the_less_is_tried_first(gap, tries):
    found = efforts(gap, warm=False, limited=False)
    assert len(found) == tries and found[-1].exact == FULL.exact
    steps = [effort.prices.steps for effort in found]
    assert steps == sorted(steps) and found[0].prices.first == FULL.prices.first
    assert all(effort.prices.first <= ONWARD_STEP for effort in found[1:])


def test_a_start_near_the_end_takes_short_steps_and_at_most_half_of_them():
    for limited in (False, True):
        found = efforts(0.01, warm=True, limited=limited)
        assert found[0].prices.first == WARM.first and found[0].prices.steps == QUICK[0].prices.steps
        assert found[-1].prices.steps + found[-1].exact.steps <= 0.5 * (FULL.prices.steps + FULL.exact.steps)

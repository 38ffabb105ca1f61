"""How much is tried for a gap."""

from dataclasses import replace

import pytest

from cdn.placement.decomposition.efforts import (
    ASSETS_PER_STEP,
    FULL,
    LIMITED,
    ONWARD_STEP,
    QUICK,
    limited_steps,
    rounds,
)
from cdn.placement.decomposition.pricing import WARM


def test_without_a_gap_all_is_done_at_once():
    assert rounds(None, warm=False, limited=False, n_assets=10) == [[FULL]]
    assert rounds(None, warm=False, limited=True, n_assets=10) == [[replace(FULL, exact=LIMITED)]]


@pytest.mark.parametrize(("gap", "tries"), [(0.0, 1), (0.001, 1), (0.002, 2), (0.01, 3)])
def test_the_looser_the_gap_the_less_is_tried_first(gap, tries):
    found = rounds(gap, warm=False, limited=False, n_assets=10)[0]
    assert len(found) == tries and found[-1].exact == FULL.exact
    steps = [effort.prices.steps for effort in found]
    assert steps == sorted(steps) and found[0] == [*QUICK, FULL][-tries]
    assert all(effort.prices.first <= ONWARD_STEP for effort in found[1:])


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("gap", [0.0, 0.001, 0.002, 0.01])
def test_what_no_gap_would_find_is_found_in_the_end(gap, warm, limited):
    found = rounds(gap, warm, limited, 10)
    assert found[-1:] == rounds(None, warm, limited, 10) and len(found) == (1 if gap < 0.0015 else 2)


def test_a_start_near_the_end_takes_short_steps_and_at_most_half_of_them():
    for limited in (False, True):
        found = rounds(0.01, warm=True, limited=limited, n_assets=10)[0]
        assert found[0].prices.first == WARM.first and found[0].prices.steps == QUICK[0].prices.steps
        assert found[-1].prices.steps + found[-1].exact.steps <= 0.5 * (FULL.prices.steps + FULL.exact.steps)


def test_where_limits_may_bind_large_problems_take_more_steps():
    assert limited_steps(LIMITED.steps * ASSETS_PER_STEP) == LIMITED
    assert limited_steps(2 * LIMITED.steps * ASSETS_PER_STEP) == replace(LIMITED, steps=2 * LIMITED.steps)

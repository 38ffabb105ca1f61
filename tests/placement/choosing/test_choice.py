"""Sets of caches: all of an asset's by hand, and the choice among them against the model of pairs and connections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import random_problem
from placement.decomposition.block_examples import bare_problem

from cdn.model.site_assets import SiteAssets
from cdn.placement.candidates import find_candidates
from cdn.placement.choosing.choice import choose_sets
from cdn.placement.lp import relax
from cdn.placement.model import build_model
from cdn.placement.solving import solve
from cdn.placement.subsets import are_few, list_subsets


def two_regions_three_caches():
    """An asset of 2 bytes asked for 10 bytes in each of two regions; the origin costs 5 a byte. s0 costs 1 and 3, s1 4
    and 1, s2 4 and 4."""
    cost = np.array([[1.0, 3.0], [4.0, 1.0], [4.0, 4.0], [5.0, 5.0]])
    return bare_problem([9, 9, 9], [2], [0, 1], [0, 0], [10, 10], cost)


def sets_of(problem) -> dict[tuple[int, ...], float]:
    """Caches of each set, and what it saves."""
    candidates = find_candidates(problem)
    sets = list_subsets(problem, candidates)
    return {tuple(candidates.site[np.flatnonzero(column)]): saving for column, saving in zip(
        sets.pairs.toarray().T, sets.saving, strict=True)}  # fmt: skip


def test_sets_worked_out():
    """s0 saves 40 + 20, s1 10 + 40, s2 10 + 10, s0 and s1 40 + 40; s2 adds nothing to either."""
    assert sets_of(two_regions_three_caches()) == {(): 0, (0,): 60, (1,): 50, (2,): 20, (0, 1): 80}


def test_sets_have_the_pins_and_pay_for_filling():
    """s2 is pinned and there already; s0 costs 2 bytes at 5 to fill, s1 2 at 20, more than the 30 it adds to s0."""
    problem = two_regions_three_caches().replace(
        pinned=SiteAssets.from_pairs([2], [0], 1),
        stored=SiteAssets.from_pairs([2], [0], 1),
        fill_cost_per_byte=np.array([5.0, 20.0, 9.0]),
    )
    assert sets_of(problem) == {(2,): 20, (0, 2): 60 - 10}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 9))
def test_the_choice_is_as_good_as_the_best_of_pairs(seed, n_sites, n_assets):
    """Fill limits bind, egress is not looked at by either; nothing is held beyond storage and fill."""
    problem = random_problem(np.random.default_rng(seed), n_sites=n_sites, n_assets=n_assets, limits=True)
    c = find_candidates(problem)
    assert are_few(c)
    choice = choose_sets(problem, c, relax(problem, c)[2], 1e-9, None)
    model = build_model(problem, c, binary=True)
    solved = solve(model.lp, integer=True, gap=1e-9)
    best = -solved.objective * model.cost_unit
    assert choice.is_optimal and choice.most_saving >= choice.saving - 1e-6
    assert choice.saving == pytest.approx(best, rel=1e-6, abs=1e-6)
    held = SiteAssets.from_pairs(c.site[choice.held], c.asset[choice.held], len(problem.asset_index))
    assert (held.bytes_per_site(problem.size_bytes, n_sites) <= problem.storage_bytes).all()
    newly = held.minus(problem.stored, n_sites).bytes_per_site(problem.size_bytes, n_sites)
    assert (newly <= problem.usable_fill_bytes).all()
    assert held.contains(problem.pinned.site, problem.pinned.asset, n_sites).all()


def tight_problem(seed, whole_numbers):
    """Twenty assets for four caches that hold a few, sizes uneven or small whole numbers with ties."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 6, 20) if whole_numbers else np.ceil(100 * np.exp(rng.normal(size=20))).astype(int)
    cost = rng.integers(1, 9, (5, 4)).astype(float)
    cost[-1] = 10
    asked = rng.integers(1, 9, 60) * 10.0 if whole_numbers else 100 * np.exp(rng.normal(size=60))
    storage = (size.sum() * rng.uniform(0.1, 0.3, 4)).astype(int)
    pair = rng.permutation(80)[:60]
    return bare_problem(storage, size, pair % 4, pair // 4, asked, cost)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_choices_that_take_branching(seed, whole_numbers):
    """Against HiGHS; the same again, within a loose gap, and cut short."""
    problem = tight_problem(seed, whole_numbers)
    c = find_candidates(problem)
    prices = relax(problem, c)[2]
    choice = choose_sets(problem, c, prices, 0.0, None)
    model = build_model(problem, c, binary=True)
    best = -solve(model.lp, integer=True, gap=1e-9).objective * model.cost_unit
    assert choice.is_optimal and choice.saving == pytest.approx(best, rel=1e-6)
    assert best * (1 - 1e-9) <= choice.most_saving <= best * (1 + 2e-6)
    again = choose_sets(problem, c, prices, 0.0, None)
    assert (again.held == choice.held).all() and again.n_nodes == choice.n_nodes

    loose = choose_sets(problem, c, prices, 0.02, None)
    assert loose.is_optimal and loose.saving * 1.02 >= best * (1 - 1e-6)
    cut = choose_sets(problem, c, prices, 0.0, 1e-9)
    assert cut.saving <= best * (1 + 1e-9) and cut.most_saving >= best * (1 - 1e-9)
    used = np.bincount(c.site[cut.held], weights=problem.size_bytes[c.asset[cut.held]], minlength=4)
    assert (used <= problem.storage_bytes).all()


def test_a_loose_gap_takes_fewer_nodes():
    """As a rule: what is looked at depends on where each gap lets the prices stop, so now and then it takes a few more
    (46 nodes and 48 with seed 1650). Where many are needed, it is far fewer."""
    problem = tight_problem(0, True)
    c = find_candidates(problem)
    prices = relax(problem, c)[2]
    proved, loose = (choose_sets(problem, c, prices, gap, None) for gap in (0.0, 0.02))
    assert proved.n_nodes > 50 and loose.n_nodes < proved.n_nodes / 5


def test_nothing_to_choose():
    """Nobody asks for anything."""
    problem = bare_problem([9], [2], [], [], [], np.array([[1.0], [5.0]]))
    choice = choose_sets(problem, find_candidates(problem), relax(problem, find_candidates(problem))[2], 0.0, None)
    assert (choice.saving, choice.is_optimal, choice.n_nodes) == (0.0, True, 0)

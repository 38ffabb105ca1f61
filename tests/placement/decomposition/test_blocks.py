"""Blocks: what is loaded, rules and local search against all placements of tiny ones, and flips against a recount."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.decomposition.block_examples import BlockExample, bare_problem, random_block
from placement.decomposition.routines import (
    decide_by_rules,
    descend,
    flip,
    load_block,
    resolve_block,
    solve_block,
    unload_block,
    value_caches,
)

from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.blocks import CLOSED, OPEN, block_sizes, new_workspace
from cdn.placement.decomposition.tables import BlockPrices, build_tables

blocks = st.builds(random_block, st.integers(0, 10**6), whole_numbers=st.booleans())


@settings(max_examples=150, deadline=None)
@given(blocks)
def test_a_block_has_the_caches_that_could_pay(block: BlockExample):
    """Pinned ones, and those allowed that would save more than their price with nobody else; nothing stays marked."""
    ws, n_touched = block.load()
    n = ws.numbers[0]
    upper = block.saving.sum(axis=0)
    expected = block.pinned | (block.able & (upper > block.price * (1 + 1e-12)))
    allowed = block.pinned | (block.able & (upper >= block.price * (1 - 1e-12)))
    found = np.zeros(block.problem.n_caches, dtype=bool)
    found[ws.site[:n]] = True
    assert n == found.sum() and (expected <= found).all() and (found <= allowed).all()
    assert np.allclose(ws.price[:n], block.price[ws.site[:n]])
    assert np.array_equal(ws.forced[:n], block.pinned[ws.site[:n]])
    for k in range(ws.numbers[1]):
        pairs = slice(ws.first[k], ws.first[k + 1])
        row = np.zeros(len(found))
        row[ws.site[ws.cache[pairs]]] = ws.saving[pairs]
        assert np.allclose(row, np.where(found, block.saving[ws.entry[k]], 0.0))
    unload_block(block.tables, 0, ws, n_touched)
    assert not ws.upper.any() and not ws.flags.any() and (ws.local == -1).all()


def test_who_may_store_worked_out():
    """An asset of 4 bytes saves 6 * 5 = 30 everywhere. s0 has room; s1 holds 3; s2 is excluded; s3 may fill 3 tonight,
    s4 as well but has it already; s5 is pinned. At storage price 1 and fill price 2 it costs 4 * 3 = 12, at s4 4."""
    cost = np.zeros((7, 1))
    cost[-1] = 5
    problem = bare_problem([9, 3, 9, 9, 9, 9], [4], [0], [0], [6], cost).replace(
        excluded=SiteAssets.from_pairs([2], [0], 1),
        stored=SiteAssets.from_pairs([4], [0], 1),
        pinned=SiteAssets.from_pairs([5], [0], 1),
        fill_bytes=np.array([9.0, 9.0, 9.0, 3.0, 3.0, 0.0]),
    )
    tables, prices = build_tables(problem), BlockPrices(np.ones(6), 2 * np.ones(6), np.zeros(6))
    ws = new_workspace(*block_sizes(tables))
    load_block(tables, prices, 0, ws)
    assert sorted(ws.site[: ws.numbers[0]]) == [0, 4, 5]
    assert {int(s): p for s, p in zip(ws.site[:3], ws.price[:3], strict=True)} == {0: 12, 4: 4, 5: 12}


@settings(max_examples=200, deadline=None)
@given(blocks)
def test_rules_never_cut_off_the_optimum(block: BlockExample):
    ws, _ = block.load()
    decide_by_rules(ws)
    n = ws.numbers[0]
    closed = np.ones(block.problem.n_caches, dtype=bool)
    closed[ws.site[:n]] = ws.state[:n] == CLOSED
    opened = np.zeros(block.problem.n_caches, dtype=bool)
    opened[ws.site[:n]] = ws.state[:n] == OPEN
    left = [block.value(p) for p in block.placements() if not (p & closed).any() and (p >= opened).all()]
    assert max(left) == pytest.approx(block.best_value(), abs=1e-9 * block.scale)


@settings(max_examples=200, deadline=None)
@given(blocks, st.integers(0, 2))
def test_local_search_states_what_it_places(block: BlockExample, rounds: int):
    """Its value is that of an allowed placement, so never above the best."""
    ws, _ = block.load()
    is_open, fixed, flips = block.room()
    value = solve_block(ws, is_open, fixed, flips, closed_rows(1, 64)[0], rounds)
    stored = block.stored(ws, is_open)
    assert value == pytest.approx(block.value(stored), abs=1e-9 * block.scale)
    assert (stored >= block.pinned).all() and not (stored & ~(block.able | block.pinned)).any()


def test_local_search_finds_nearly_all_optima():
    found = 0
    for seed in range(200):
        block = random_block(seed)
        ws, _ = block.load()
        value = solve_block(ws, *block.room(), closed_rows(1, 64)[0], 2)
        found += value >= block.best_value() - 1e-9 * block.scale
    assert found >= 196


@settings(max_examples=100, deadline=None)
@given(blocks, st.integers(0, 2**32 - 1))
def test_going_on_from_an_earlier_placement_never_loses(block: BlockExample, bits: int):
    """``resolve_block`` starts from what is left of a row of bits."""
    ws, _ = block.load()
    is_open, fixed, flips = block.room()
    row = np.array([bits], dtype=np.uint64)
    n = ws.numbers[0]
    start = np.zeros(block.problem.n_caches, dtype=bool)
    start[ws.site[:n]] = [bool(bits >> int(s) & 1) for s in ws.site[:n]]
    value = resolve_block(ws, is_open, fixed, flips, row, 1)
    assert value >= block.value(start | block.pinned) - 1e-9 * block.scale
    assert value == pytest.approx(block.value(block.stored(ws, is_open)), abs=1e-9 * block.scale)


@settings(max_examples=100, deadline=None)
@given(blocks, st.lists(st.integers(0, 10**6), max_size=12))
def test_flips_agree_with_a_recount(block: BlockExample, moves: list[int]):
    ws, _ = block.load()
    n, n_entries = ws.numbers[0], ws.numbers[1]
    if not n:
        return
    is_open = block.room()[0]
    total = value_caches(ws, is_open)
    for move in moves:
        total += flip(ws, is_open, move % n)
    kept = [values[:size].copy() for values, size in _counted(ws)]
    assert total == pytest.approx(value_caches(ws, is_open), abs=1e-9 * block.scale)
    for before, (values, size) in zip(kept, _counted(ws), strict=True):
        assert np.allclose(before, values[:size], atol=1e-9 * block.scale)
    assert n_entries == ws.numbers[1]


def _counted(ws):
    n, n_entries = ws.numbers[0], ws.numbers[1]
    return (ws.best, n_entries), (ws.second, n_entries), (ws.gain, n), (ws.loss, n)


@settings(max_examples=100, deadline=None)
@given(blocks)
def test_a_descent_ends_where_no_single_move_pays(block: BlockExample):
    ws, _ = block.load()
    is_open, fixed, flips = block.room()
    n = ws.numbers[0]
    fixed[:n] = ws.forced[:n]
    is_open[:n] = ws.forced[:n]
    start = value_caches(ws, is_open)
    more, n_flips = descend(ws, is_open, fixed, 1e-12 * block.scale, flips, 0)
    now = block.stored(ws, is_open)
    assert start + more == pytest.approx(block.value(now), abs=1e-9 * block.scale)
    if n_flips < len(flips):
        for i in np.flatnonzero(~fixed[:n]):
            other = now.copy()
            other[ws.site[i]] ^= True
            assert block.value(other) <= block.value(now) + 1e-9 * block.scale

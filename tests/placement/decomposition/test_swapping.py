"""Swaps on blocks that see many caches: against a recount of every move, and against the best of all placements."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.decomposition.block_examples import BlockExample, bare_problem, random_block
from placement.decomposition.routines import (
    load_block,
    note_margins,
    resolve_block,
    solve_block,
    swap,
    swap_and_kick,
    value_caches,
)

from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.blocks import block_sizes, new_workspace
from cdn.placement.decomposition.swapping import MANY_CHOICES
from cdn.placement.decomposition.tables import BlockPrices, build_tables

blocks = st.builds(random_block, st.integers(0, 10**6), most_sites=st.just(9), whole_numbers=st.booleans())


def moves(stored: np.ndarray, may_move: np.ndarray, cache: int | None = None):
    """Placements one flip or swap away, of caches that may move; with ``cache``, those that flip it."""
    for i in np.flatnonzero(may_move):
        flipped = stored.copy()
        flipped[i] = not flipped[i]
        if cache in (None, i):
            yield flipped
        for j in np.flatnonzero(may_move & (stored != stored[i])):
            if cache in (None, i):
                swapped = flipped.copy()
                swapped[j] = not swapped[j]
                yield swapped


@settings(max_examples=150, deadline=None)
@given(blocks)
def test_savings_of_an_entry_are_in_order(block: BlockExample):
    """Most first, also where rates are priced, and the same pairs cache by cache."""
    ws, _ = block.load()
    for k in range(ws.numbers[1]):
        assert (np.diff(ws.saving[ws.first[k] : ws.first[k + 1]]) <= 0).all()
    for i in range(ws.numbers[0]):
        turns = slice(ws.turn_first[i], ws.turn_first[i + 1])
        own = [block.saving[ws.entry[k], ws.site[i]] for k in ws.turn_entry[turns]]
        assert np.allclose(ws.turn_saving[turns], own)


@settings(max_examples=150, deadline=None)
@given(blocks, st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_swaps_end_where_no_move_pays(block: BlockExample, bits: int, kicks: int):
    """And state the value of what they place, never less than they start from."""
    ws, _ = block.load()
    n = ws.numbers[0]
    is_open, fixed, _ = block.room()
    fixed[:n] = ws.forced[:n]
    is_open[:n] = [bool(f or bits >> int(s) & 1) for f, s in zip(ws.forced[:n], ws.site[:n], strict=True)]
    before = block.value(block.stored(ws, is_open))
    value = swap_and_kick(ws, is_open, fixed, kicks)
    stored, tiny = block.stored(ws, is_open), 1e-9 * block.scale
    assert value == pytest.approx(block.value(stored), abs=tiny)
    assert value >= before - tiny and (stored >= block.pinned).all()
    assert np.array_equal(fixed[:n], ws.forced[:n])
    may_move = block.stored(ws, np.append(~ws.forced[:n], is_open[n:]))
    assert all(block.value(near) <= value + tiny for near in moves(stored, may_move))


@settings(max_examples=100, deadline=None)
@given(blocks, st.integers(0, 2**32 - 1))
def test_margins_are_what_the_cheapest_flip_or_swap_costs(block: BlockExample, bits: int):
    ws, _ = block.load()
    n = ws.numbers[0]
    is_open, _, _ = block.room()
    is_open[:n] = [bool(bits >> int(s) & 1) for s in ws.site[:n]]
    value_caches(ws, is_open)
    note_margins(ws, is_open)
    stored, loaded = block.stored(ws, is_open), block.stored(ws, np.ones_like(is_open))
    for i in range(n):
        best = max(block.value(near) for near in moves(stored, loaded, ws.site[i]))
        assert ws.margin[i] == pytest.approx(block.value(stored) - best, abs=1e-9 * block.scale)


def test_a_swap_worked_out():
    """Two regions save 3 and 3 at s0, 0 and 5 at s1, 5 and 0 at s2, each for a price of 2. s0 alone is worth 4; neither
    s1 nor s2 pays beside it (2 - 2), nor does one of them in its place (3). Flipping both is no move: it stays. From
    nothing s0 comes first too; from s1 adding s2 pays: 6."""
    cost = np.array([[2.0, 2.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])
    problem = bare_problem([9, 9, 9], [1], [0, 1], [0, 0], [1, 1], cost)
    tables = build_tables(problem)
    ws = new_workspace(*block_sizes(tables))
    load_block(tables, BlockPrices(np.full(3, 2.0), np.zeros(3), np.zeros(len(tables.candidate_site))), 0, ws)
    local = {int(s): i for i, s in enumerate(ws.site[:3])}
    for start, expected in ((0, 4.0), (1, 6.0)):
        is_open = np.zeros(3, dtype=bool)
        is_open[local[start]] = True
        assert swap(ws, is_open, np.zeros(3, dtype=bool)) == expected


def wide_block(seed: int) -> tuple:
    """Twenty regions that see all of twelve caches: a loaded workspace, and a saving (20, 12) and price (12,)."""
    rng = np.random.default_rng(seed)
    saving, price = rng.uniform(1, 3, (20, 12)), rng.uniform(2, 6, 12)
    cost = np.concatenate([5 - saving.T, np.full((1, 20), 5.0)])
    problem = bare_problem(np.full(12, 9), [1], np.arange(20), np.zeros(20, dtype=int), np.ones(20), cost)
    tables = build_tables(problem)
    ws = new_workspace(*block_sizes(tables))
    load_block(tables, BlockPrices(price, np.zeros(12), np.zeros(len(tables.candidate_site))), 0, ws)
    return ws, saving, price


def test_wide_blocks_are_nearly_always_solved():
    """Against all 4,096 placements."""
    found = 0
    for seed in range(40):
        ws, saving, price = wide_block(seed)
        assert ws.first[ws.numbers[1]] > MANY_CHOICES * ws.numbers[1]
        n, best = len(price), 0.0
        for bits in range(1, 1 << n):
            chosen = (bits >> np.arange(n) & 1).astype(bool)
            best = max(best, saving[:, chosen].max(axis=1).sum() - price[chosen].sum())
        room = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(2 * n + 2, dtype=np.int64)
        value = solve_block(ws, *room, closed_rows(1, n)[0], 2)
        assert value <= best + 1e-9
        assert resolve_block(ws, *room, closed_rows(1, n)[0], 1) <= best + 1e-9
        found += value >= best - 1e-9
    assert found >= 38

"""Proofs of blocks against all placements of tiny ones, and against the judge's own arithmetic."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.decomposition.block_examples import BlockExample, bare_problem, random_block
from placement.decomposition.routines import load_block, prove_block, solve_block

from cdn.evaluation import lower_bound
from cdn.model.branching import Branching
from cdn.model.placement import Prices
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.blocks import block_sizes, new_workspace
from cdn.placement.decomposition.proofs import new_room
from cdn.placement.decomposition.tables import BlockPrices, build_tables

blocks = st.builds(random_block, st.integers(0, 10**6), st.integers(2, 8), whole_numbers=st.booleans())


@dataclasses.dataclass
class Proved:
    """What ``prove_block`` found of a block, with its tree in the caches of the problem."""

    value: float
    bound: float
    stored: np.ndarray
    site: np.ndarray
    credits: np.ndarray


def prove(block: BlockExample, tolerance: float, most_credits: int) -> Proved | None:
    """The proof after a local search; None where the block has no cache to decide about."""
    ws, _ = block.load()
    if not ws.numbers[0]:
        return None
    is_open, fixed, flips = block.room()
    solve_block(ws, is_open, fixed, flips, closed_rows(1, 64)[0], 1)
    room = new_room(ws, most_credits)
    scratch = (ws, is_open, fixed, flips, room)
    value, bound, nodes, n_credits = prove_block(*scratch, tolerance, most_credits, room.root[:0])
    site = np.array([ws.site[node] if node >= 0 else node for node in room.nodes[:nodes]], dtype=np.int32)
    credits = np.zeros((n_credits, len(block.problem.demand)))
    credits[:, ws.entry[: ws.numbers[1]]] = room.credits[:n_credits, : ws.numbers[1]]
    return Proved(value, bound, block.stored(ws, is_open), site, credits)


def certified(block: BlockExample, proved: Proved) -> Prices:
    """The proof as prices of the one-asset problem."""
    demand = block.problem.demand
    serve = demand.bytes * block.problem.origin_cost[demand.region] - proved.credits
    if len(proved.site) == 1:
        return dataclasses.replace(block.full_prices, serve=serve[0])
    branching = Branching(np.zeros(1), np.array([0, len(proved.site)]), proved.site, serve.ravel())
    return dataclasses.replace(block.full_prices, branching=branching)


def judged_bound(block: BlockExample, prices: Prices) -> float:
    """What the judge says the block can save at most: origin cost less the bound without the limits' worth."""
    problem = block.problem
    origin_cost = float(problem.demand.bytes @ problem.origin_cost[problem.demand.region])
    worth = prices.storage @ problem.storage_bytes + prices.fill @ problem.usable_fill_bytes
    return origin_cost - (lower_bound(problem, prices) + worth + prices.egress[0] @ problem.egress_bps)


@settings(max_examples=200, deadline=None)
@given(blocks, st.sampled_from([1, 3, 10]), st.sampled_from([0.0, 0.01, 1.0]))
def test_no_placement_beats_the_bound(block: BlockExample, most_credits: int, tolerance: float):
    proved = prove(block, tolerance, most_credits)
    if proved is None:
        assert block.best_value() <= 1e-9 * block.scale
        return
    assert proved.bound >= block.best_value() - 1e-9 * block.scale
    assert proved.value == pytest.approx(block.value(proved.stored), abs=1e-9 * block.scale)
    assert (proved.stored >= block.pinned).all() and not (proved.stored & ~(block.able | block.pinned)).any()


@settings(max_examples=100, deadline=None)
@given(blocks)
def test_enough_branches_prove_the_optimum(block: BlockExample):
    tolerance = 1e-6 * block.scale
    proved = prove(block, tolerance, 600)
    if proved is not None:
        best = block.best_value()
        assert proved.bound <= proved.value + tolerance * (1 + 1e-9)
        assert best - tolerance <= proved.value <= best + 1e-9 * block.scale


@settings(max_examples=150, deadline=None)
@given(blocks, st.sampled_from([1, 3, 10, 200]))
def test_the_judge_proves_the_same_from_the_credits(block: BlockExample, most_credits: int):
    """``Branching`` checks that the tree is whole and every vector bounds a leaf."""
    proved = prove(block, 1e-6 * block.scale, most_credits)
    if proved is not None:
        assert judged_bound(block, certified(block, proved)) == pytest.approx(proved.bound, abs=1e-9 * block.scale)
        assert len(proved.credits) <= most_credits


def test_whole_copies_take_a_tree():
    """Three regions ask for 2 bytes each; each of three caches serves two of them free, the origin costs 1. A copy
    costs 3: half a copy everywhere saves 6 - 4.5 = 1.5, one whole copy 4 - 3 = 1, two 6 - 6 = 0."""
    cost = np.array([[0, 0, np.inf], [0, np.inf, 0], [np.inf, 0, 0], [1, 1, 1]], dtype=float)
    problem = bare_problem([1, 1, 1], [1], [0, 1, 2], [0, 0, 0], [2, 2, 2], cost)
    tables, prices = build_tables(problem), BlockPrices(3 * np.ones(3), np.zeros(3), np.zeros(6))
    found = {}
    for most_credits in (1, 20):
        ws = new_workspace(*block_sizes(tables))
        load_block(tables, prices, 0, ws)
        is_open, fixed, flips = np.zeros(3, dtype=bool), np.zeros(3, dtype=bool), np.zeros(8, dtype=np.int64)
        solve_block(ws, is_open, fixed, flips, closed_rows(1, 64)[0], 1)
        room = new_room(ws, most_credits)
        found[most_credits] = prove_block(ws, is_open, fixed, flips, room, 1e-6, most_credits, room.root[:0])
    assert found[1][0] == pytest.approx(1) and 1.5 - 1e-6 <= found[1][1] <= 1.6 and found[1][2] == 1
    assert found[20][0] == pytest.approx(1) and 1 - 1e-6 <= found[20][1] <= 1 + 1e-5 and found[20][2] > 1

"""Packings of a limit, bounds at prices, and what they rule out, against all choices one by one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.choosing.set_examples import (
    all_choices,
    bound_at_prices,
    bytes_used,
    conclude,
    pack,
    pairs_of,
    random_tables,
    round_sets,
    take_back,
    weigh_sets,
)

from cdn.placement.choosing.pricing import improve_prices
from cdn.placement.choosing.searching import DONE, begin_search, look_at_root, search_on
from cdn.placement.choosing.tables import ALIVE, make_workspace, undecided

SEEDS = st.integers(0, 10**6)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(1, 9), st.booleans())
def test_no_packing_is_worth_more(seed, n_items, is_forced):
    """Some items are in or out already, one more is forced; worths and bytes are whole numbers, with ties."""
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, n_items, 1, 1)
    ws, state = make_workspace(tables), rng.choice([0, 0, 0, 1, -1], n_items)
    ws.price[:] = rng.integers(0, 9, n_items)
    forced, is_in = (int(rng.integers(n_items)), bool(rng.random() < 0.5)) if is_forced else (-1, False)
    packed = np.zeros(n_items, dtype=bool)
    value = pack(tables, ws, state, 0, packed, forced, is_in)

    allowed = [{0: (0, 1), 1: (1,), -1: (0,)}[int(s)] for s in state]
    if is_forced:
        allowed[forced] = (int(is_in),)
    worths = [
        float(np.dot(ws.price, some))
        for some in product(*allowed)
        if np.dot(tables.item_bytes, some) <= tables.limit_bytes[0]
    ]
    assert value == max(worths, default=-np.inf)
    if worths:
        assert packed.astype(int).tolist() in [list(some) for some in product(*allowed)]
        assert tables.item_bytes[packed].sum() <= tables.limit_bytes[0] and ws.price[packed].sum() == value


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 3), st.integers(1, 3), st.data())
def test_bounds_hold_at_any_prices_and_rule_out_nothing_better(seed, n_assets, n_sites, data):
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, n_assets, n_sites, data.draw(st.integers(1, n_sites)))
    ws, decisions = make_workspace(tables), undecided(tables)
    ws.price[:] = rng.integers(0, 20, len(ws.price)) * rng.random()
    choices = all_choices(tables)
    best = max(choices)[0]
    assert bound_at_prices(tables, ws, decisions) >= best - 1e-9

    least = best * rng.random() - 1e-6
    _, rounded = look_at_root(tables, ws, decisions, least)
    kept = set(np.flatnonzero(decisions.ruled_out == ALIVE).tolist())
    for saving, chosen in choices:
        assert saving <= least or kept.issuperset(chosen)
    if np.isfinite(rounded):
        assert (rounded, tuple(ws.chosen.tolist())) in choices


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 3), st.integers(1, 3))
def test_the_search_finds_the_best_or_that_there_is_nothing_better(seed, n_assets, n_sites):
    """Asked for half of the best, for a little less than it, and for no less: from prices of nothing. Node by node or
    all at once, it comes to the same, and at the end nothing is decided any more."""
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, n_assets, n_sites, n_sites)
    best = max(all_choices(tables))[0]
    for least in (best / 2, best - 0.5, best):
        ended = []
        for n_at_once in (1, 10**6):
            ws, decisions = make_workspace(tables), undecided(tables)
            search = begin_search(tables, ws.price, -1.0, least, 0.0)
            while search.depth[0] != DONE:
                search_on(tables, ws, decisions, search, n_at_once)
            assert (decisions.state == 0).all() and (decisions.ruled_out == ALIVE).all()
            ended.append((search.saving[0], search.chosen.tolist(), int(search.n_nodes[0])))
        assert ended[0] == ended[1]
        saving, chosen, _ = ended[0]
        if least < best:
            assert saving == best == tables.saving[chosen].sum() == search.least[0]
            assert (bytes_used(tables, chosen) <= tables.limit_bytes).all()
        else:
            assert search.least[0] == least


def test_what_follows_from_a_decision_and_its_taking_back():
    """Two caches of 10 bytes; assets of 6, 6 and 4. With the first asset in both, the second can be in none, as all of
    its pairs no longer fit; the third still fits."""
    tables = random_tables(np.random.default_rng(0), 3, 2, 2)
    tables.item_bytes[:] = np.array([6.0, 6, 4])[tables.pair_asset[tables.item_pair]]
    tables.limit_bytes[:] = 10
    ws, decisions = make_workspace(tables), undecided(tables)
    both = next(m for m in range(4) if len(pairs_of(tables, m)) == 2)
    decisions.state[pairs_of(tables, both)] = 1
    decisions.since[pairs_of(tables, both)] = 1
    assert conclude(tables, ws, decisions, 2) == 2
    assert decisions.state.tolist() == [1, 1, -1, -1, 0, 0]
    left = [np.flatnonzero(decisions.ruled_out[4 * a : 4 * a + 4] == ALIVE).size for a in range(3)]
    assert left == [1, 1, 4]
    take_back(decisions, 2)
    assert decisions.state.tolist() == [1, 1, 0, 0, 0, 0] and (decisions.ruled_out == ALIVE).all()
    tables.limit_bytes[:] = 5
    assert conclude(tables, ws, decisions, 2) == -1


def test_prices_of_pairs_prove_what_prices_of_bytes_cannot():
    """A cache of 10 bytes and two assets of 6 that save 6 each: at any price per byte 10 seems to be within reach (one
    asset and two thirds of the other), at 6 for each pair no more than 6."""
    tables = random_tables(np.random.default_rng(0), 2, 1, 1)
    tables.item_bytes[:], tables.limit_bytes[:], tables.saving[:] = 6, 10, [0, 6, 0, 6]
    ws, decisions = make_workspace(tables), undecided(tables)
    for price in np.linspace(0, 2, 21):
        of_bytes = 2 * max(6 - 6 * price, 0) + 10 * price
        assert of_bytes >= 10 - 1e-9
    ws.price[:] = 6
    assert bound_at_prices(tables, ws, decisions) == 6
    ws.price[:] = 1
    bound, _ = improve_prices(tables, ws, decisions, 5.0, 1000, 60, 0.1)
    assert bound == pytest.approx(6, rel=1e-3)
    assert weigh_sets(tables, ws, decisions.ruled_out)
    assert round_sets(tables, ws, decisions.ruled_out) == 6

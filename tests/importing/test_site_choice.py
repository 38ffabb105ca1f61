"""Where sites go, how much they store and what regions weigh."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.errors import DataError
from cdn.importing.apportionment import APPORTIONMENTS, served_weight, split_evenly
from cdn.importing.network_graph import plain_network
from cdn.importing.region_weights import node_weights, read_node_weights
from cdn.importing.site_choice import SITE_CHOICES, heaviest, most_central, spread

# Five nodes in a row, a unit apart; the ends weigh most.
LINE = np.abs(np.subtract.outer(np.arange(5), np.arange(5))).astype(float)
WEIGHT = np.array([4.0, 1.0, 1.0, 1.0, 5.0])
ALL = np.arange(5)


def test_the_heaviest_nodes_of_a_line():
    assert heaviest(WEIGHT, LINE, ALL, 3) == [4, 0, 1]


def test_the_most_central_nodes_of_a_line():
    """Weighted distances to nodes 0 to 4: 0+1+2+3+20 = 26, 4+0+1+2+15 = 22, 8+1+0+1+10 = 20, 12+2+1+0+5 = 20,
    16+3+2+1+0 = 22. Nodes 2 and 3 tie, then 1 and 4; of equals the first."""
    assert most_central(WEIGHT, LINE, ALL, 4) == [2, 3, 1, 4]


def test_sites_spread_over_a_line():
    """First 2, which costs 8+1+0+1+10 = 20. To it, 4 is best: 8+1+0+1+0 = 10 are left (3 leaves 8+1+0+0+5 = 14, 0
    leaves 0+1+0+1+10 = 12). Then 0, which leaves 0+1+0+1+0 = 2 (1 leaves 4+0+0+1+0 = 5)."""
    assert spread(WEIGHT, LINE, ALL, 3) == [2, 4, 0]


@pytest.mark.parametrize("choice", SITE_CHOICES.values(), ids=SITE_CHOICES.keys())
def test_only_candidates_are_chosen_each_once(choice):
    chosen = choice(np.ones(5), LINE, np.array([1, 3, 4]), 3)
    assert sorted(chosen) == [1, 3, 4]
    assert choice(np.ones(5), LINE, np.array([1, 3, 4]), 0) == []


COSTS = st.lists(st.integers(0, 9), min_size=36, max_size=36).map(
    lambda cells: np.array(cells, dtype=float).reshape(6, 6)
)
WEIGHTS = st.lists(st.integers(0, 5), min_size=6, max_size=6).map(lambda cells: np.array(cells, dtype=float))


@given(COSTS, WEIGHTS, st.integers(1, 5))
def test_each_spread_site_is_the_best_to_add(cost, weight, n):
    chosen = spread(weight, cost, np.arange(6), n)
    total = {
        sites: float(weight @ cost.T[list(sites)].min(axis=0))
        for k in range(1, n + 1)
        for sites in itertools.permutations(range(6), k)
        if sites[:-1] == tuple(chosen[: k - 1])
    }
    for k in range(1, n + 1):
        assert total[tuple(chosen[:k])] == min(t for sites, t in total.items() if len(sites) == k)


def test_demand_goes_to_the_cheapest_site_and_ties_to_the_first():
    """Sites at 1 and 3: nodes 0, 1 and, tied, 2 go to the first; 3 and 4 to the second."""
    assert served_weight(WEIGHT, LINE, [1, 3]).tolist() == [6, 6]
    assert served_weight(WEIGHT, LINE, []).tolist() == []


@pytest.mark.parametrize("rule", APPORTIONMENTS.values(), ids=APPORTIONMENTS.keys())
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6))
def test_shares_come_to_one(rule, served):
    shares = rule(np.array(served))
    assert shares.sum() == pytest.approx(1) and (shares >= 0).all()


@given(st.integers(0, 10**15), st.integers(1, 50))
def test_a_split_is_whole_and_even(total, parts):
    split = split_evenly(total, parts)
    assert sum(split) == total and len(split) == parts and max(split) - min(split) <= 1
    assert split == sorted(split, reverse=True)


def network_of(**attributes):
    raw = nx.path_graph(3)
    for name, values in attributes.items():
        nx.set_node_attributes(raw, {node: value for node, value in enumerate(values) if value is not None}, name)
    return plain_network(raw, "g")


def test_weights_come_from_what_the_graph_has():
    assert node_weights(network_of(population=[3, None, 5], traffic=[1, 1, 1]))[0].tolist() == [3, 0, 5]
    assert node_weights(network_of(population=[0, 0, 0], traffic=[1, 2, 3]))[1] == "traffic"
    weight, rule = node_weights(network_of(hyperedge=[False, True, False]))
    assert weight.tolist() == [1, 0, 1] and rule == "uniform"
    assert node_weights(network_of(population=[3, 4, 5]), "uniform")[0].tolist() == [1, 1, 1]
    with pytest.raises(DataError, match="nodes with a population"):
        node_weights(network_of(), "population")
    with pytest.raises(DataError, match="nodes with a population"):
        node_weights(network_of(hyperedge=[True, False, False], population=[7, None, None]), "population")


def test_weights_come_from_a_file(tmp_path):
    path = tmp_path / "w.csv"
    path.write_text("node_id,weight\nnode-2,7\nnode-0,0.5\n")
    assert read_node_weights(path, network_of()).tolist() == [0.5, 0, 7]


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ("node-9,1", "node_id"),
        ("node-0,-1", "weight"),
        ("node-0,nan", "weight"),
        ("node-0,1\nnode-0,1", "node_id"),
        ("node-0,0", None),
    ],
)
def test_bad_weights_are_faults(tmp_path, rows, column):
    path = tmp_path / "w.csv"
    path.write_text(f"node_id,weight\n{rows}\n")
    with pytest.raises(DataError) as caught:
        read_node_weights(path, network_of())
    assert [fault.column for fault in caught.value.faults] == [column]

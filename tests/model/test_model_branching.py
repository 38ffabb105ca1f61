"""Trees of cases: whole ones whose price vectors are all used are kept as given, others are refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.model.branching import WHOLE, Branching
from cdn.model.shares import Shares

SUBTREES = st.recursive(
    st.just([-1]), lambda child: st.tuples(st.integers(0, 3), child, child).map(lambda t: [t[0], *t[1], *t[2]])
)


@st.composite
def numbered_trees(draw):
    """Trees whose leaves have price vectors in any order, some shared, none unused."""
    tree = draw(SUBTREES)
    leaves = [node for node, site in enumerate(tree) if site < 0]
    vectors = draw(st.lists(st.integers(0, len(leaves) - 1), min_size=len(leaves), max_size=len(leaves)))
    for leaf, vector in zip(leaves, vectors, strict=True):
        tree[leaf] = -1 - sorted(set(vectors)).index(vector)
    return tree


def branching_of(*trees, assets=None, serve=()) -> Branching:
    indptr = np.cumsum([0, *map(len, trees)])
    return Branching(np.arange(len(trees)) if assets is None else assets, indptr, np.concatenate([[], *trees]), serve)


@given(st.lists(numbered_trees(), max_size=4), st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_whole_trees_are_kept(trees, entries):
    vectors = [len({site for site in tree if site < 0}) for tree in trees]
    indptr = np.cumsum([0, *entries])
    starts = np.cumsum([0, *(k * n for k, n in zip(vectors, entries, strict=False))])
    branching = branching_of(*trees, serve=np.zeros(starts[-1]))
    assert len(branching) == len(trees) and branching.site.tolist() == [site for tree in trees for site in tree]
    assert branching.vector_counts.tolist() == vectors and branching.vector_counts.dtype == np.int64
    assert branching.serve_starts(indptr, 4).tolist() == starts.tolist()


@given(st.lists(SUBTREES, min_size=1, max_size=4), st.data())
def test_torn_trees_are_refused(trees, data):
    """A node less, or one leaf more, at either end of one tree."""
    torn = data.draw(st.integers(0, len(trees) - 1))
    tree = trees[torn]
    trees[torn] = data.draw(st.sampled_from([tree[:-1], tree[1:], [*tree, -1], [-1, *tree]]))
    with pytest.raises(ValueError, match="tree"):
        branching_of(*trees)


def test_two_wrongs_do_not_make_a_right():
    """Nodes that one tree lacks and the next has too many."""
    with pytest.raises(ValueError, match="asset number 0 is not whole"):
        branching_of([0, -1], [-1, -1])
    with pytest.raises(ValueError, match="asset number 0 is not whole"):
        branching_of([-1, -1], [0, -1])


@given(st.lists(numbered_trees(), min_size=1, max_size=4), st.data())
def test_a_vector_that_bounds_no_leaf_is_refused(trees, data):
    """All leaves of one vector renumbered to a number behind the last."""
    spoiled = data.draw(st.integers(0, len(trees) - 1))
    vector = data.draw(st.sampled_from([site for site in trees[spoiled] if site < 0]))
    unused = min(trees[spoiled]) - data.draw(st.sampled_from([1, 2, 10**9]))
    trees[spoiled] = [unused if site == vector else site for site in trees[spoiled]]
    with pytest.raises(ValueError, match=f"tree of asset number {spoiled} bounds no leaf"):
        branching_of(*trees)


@pytest.mark.parametrize(
    "parts",
    [
        {"assets": [1, 1]},
        {"assets": [2, 1]},
        {"assets": [-1, 1]},
        {"assets": [1]},
        {"serve": [1.0, np.nan]},
        {"serve": [[1.0]]},
    ],
)
def test_parts_that_do_not_fit_are_refused(parts):
    with pytest.raises(ValueError, match="branching"):
        branching_of([-1], [-1], **parts)


def test_it_is_frozen():
    with pytest.raises(ValueError, match="read-only"):
        branching_of([-1], serve=[1.0]).serve[0] = 2.0


def grouped(asset, group, n_groups=2) -> Branching:
    nothing = np.zeros(0)
    shares = Shares(np.array([0, 1, 0, 1]) % n_groups, nothing, nothing, nothing, nothing)
    nodes = np.full(len(asset), -1)
    return Branching(np.array(asset), np.arange(len(asset) + 1), nodes, np.zeros(0), np.array(group), shares)


def test_trees_of_groups_have_the_prices_of_their_entries():
    """Asset 0 has entries of groups 0, 1, 0, asset 1 one: a price for each entry of group 0, then of group 1; the whole
    of asset 1."""
    branching = dataclasses.replace(grouped([0, 0, 1], [0, 1, WHOLE]), serve=np.zeros(4))
    assert branching.serve_starts(np.array([0, 3, 4]), 1).tolist() == [0, 2, 3, 4]
    with pytest.raises(ValueError, match="groups of 4 demand entries, not 5"):
        branching.serve_starts(np.array([0, 3, 5]), 1)


@pytest.mark.parametrize("asset, group, expected", [
    ([0, 0], [1, 0], "ascend"),
    ([0, 0], [0, 0], "ascend"),
    ([0, 0], [WHOLE, 0], "ascend"),
    ([1, 0], [0, 1], "ascend"),
    ([0], [2], "group that is not there: there are 2"),
    ([0], [-2], "group that is not there"),
])  # fmt: skip
def test_groups_that_do_not_fit_are_refused(asset, group, expected):
    with pytest.raises(ValueError, match=expected):
        grouped(asset, group)

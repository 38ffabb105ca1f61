"""Trees of cases: whole ones are kept as given, torn ones are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.model.branching import LEAF, Branching

SUBTREES = st.recursive(
    st.just([LEAF]), lambda child: st.tuples(st.integers(0, 3), child, child).map(lambda t: [t[0], *t[1], *t[2]])
)


def branching_of(*trees, assets=None, serve=()) -> Branching:
    indptr = np.cumsum([0, *map(len, trees)])
    return Branching(np.arange(len(trees)) if assets is None else assets, indptr, np.concatenate([[], *trees]), serve)


@given(st.lists(SUBTREES, max_size=4))
def test_whole_trees_are_kept(trees):
    branching = branching_of(*trees)
    assert len(branching) == len(trees) and branching.site.tolist() == [site for tree in trees for site in tree]
    assert branching.leaf_counts.tolist() == [tree.count(LEAF) for tree in trees]


@given(st.lists(SUBTREES, min_size=1, max_size=4), st.data())
def test_torn_trees_are_refused(trees, data):
    """A node less, or one leaf more, at either end of one tree."""
    torn = data.draw(st.integers(0, len(trees) - 1))
    tree = trees[torn]
    trees[torn] = data.draw(st.sampled_from([tree[:-1], tree[1:], [*tree, LEAF], [LEAF, *tree]]))
    with pytest.raises(ValueError, match="tree"):
        branching_of(*trees)


def test_two_wrongs_do_not_make_a_right():
    """Nodes that one tree lacks and the next has too many."""
    with pytest.raises(ValueError, match="asset number 0 is not whole"):
        branching_of([0, LEAF], [LEAF, LEAF])
    with pytest.raises(ValueError, match="asset number 0 is not whole"):
        branching_of([LEAF, LEAF], [0, LEAF])


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
        branching_of([LEAF], [LEAF], **parts)
    with pytest.raises(ValueError, match="negative"):
        branching_of([-2, LEAF, LEAF])


def test_it_is_frozen():
    with pytest.raises(ValueError, match="read-only"):
        branching_of([LEAF], serve=[1.0]).serve[0] = 2.0

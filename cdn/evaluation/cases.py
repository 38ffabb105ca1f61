"""The leaves of a tree of cases, each with its way from the root: what ``blocks`` walks over, made once per tree."""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import inlined
from cdn.model.arrays import frozen

FREE, WITH, WITHOUT = 0, 1, 2  # what is known of a site: nothing, it stores the asset, it does not
NONE = -1


@dataclass(frozen=True, eq=False)
class Cases(ArrayRecord):
    """Trees of cases as in ``Branching``; ``serve_start`` (T,) says where in ``serve`` the prices of each begin.

    ``entry_group`` (N,) and the rows of shares as in ``Shares``.
    """

    asset: np.ndarray
    group: np.ndarray
    indptr: np.ndarray
    site: np.ndarray
    serve: np.ndarray
    serve_start: np.ndarray
    entry_group: np.ndarray
    n_groups: int
    share_asset: np.ndarray
    share_site: np.ndarray
    share_group: np.ndarray
    share: np.ndarray


@dataclass(frozen=True, eq=False)
class Walk(ArrayRecord):
    """What is listed of one tree of up to M nodes. Branches are numbered: ``2 n`` below inner node n with the asset
    stored at its cache, ``2 n + 1`` with it not stored there.

    ``above`` (M,): the branch a node is in, NONE at the root; branches that tell nothing new are passed over.
    ``first_leaf`` and ``next_leaf`` (M,): of each price vector, the leaves that some placement is in; NONE behind the
    last. ``way``, ``is_new`` (M,): the branches from the root to the node at hand, and whether each tells anything new.
    ``known`` (S,): what the rules say of each cache, FREE where they say nothing. ``leaf`` (1,): a tree of one leaf,
    read-only as the nodes of all others are, so that what walks over them is compiled once.
    """

    above: np.ndarray
    first_leaf: np.ndarray
    next_leaf: np.ndarray
    way: np.ndarray
    is_new: np.ndarray
    known: np.ndarray
    leaf: np.ndarray


def new_walk(n_nodes: int, n_sites: int) -> Walk:
    """Blank room for trees of up to so many nodes."""
    return Walk(
        above=np.empty(n_nodes, dtype=np.int64),
        first_leaf=np.empty(n_nodes, dtype=np.int64),
        next_leaf=np.empty(n_nodes, dtype=np.int64),
        way=np.empty(n_nodes, dtype=np.int64),
        is_new=np.empty(n_nodes, dtype=np.bool_),
        known=np.zeros(n_sites, dtype=np.int8),
        leaf=frozen([-1], np.int32),
    )


@inlined
def list_leaves(nodes, walk):
    """Lists the leaves of a whole tree in preorder; returns the number of vectors. ``known`` is left as it was.

    A branch that contradicts the rules or a branch further up bars all leaves below it: no placement is in them.
    """
    above, first_leaf, next_leaf = walk.above, walk.first_leaf, walk.next_leaf
    way, is_new, known = walk.way, walk.is_new, walk.known
    first_leaf[: len(nodes)] = NONE
    here, barring = NONE, NONE  # the branch the next node is in; the step of the way that bars it
    depth = n_vectors = 0
    for node in range(len(nodes)):
        above[node] = here
        if nodes[node] >= 0:
            way[depth] = 2 * node
            is_new[depth] = known[nodes[node]] == FREE
            depth += 1
        else:
            vector = -1 - nodes[node]
            n_vectors = max(n_vectors, vector + 1)
            if barring == NONE:
                next_leaf[node] = first_leaf[vector]
                first_leaf[vector] = node
            while depth > 0 and way[depth - 1] % 2 == 1:
                depth -= 1
                if is_new[depth]:
                    known[nodes[way[depth] // 2]] = FREE
            if depth == 0:
                break
            way[depth - 1] += 1
        step = depth - 1
        barring = barring if barring < step else NONE
        branch = way[step]
        site, says = nodes[branch // 2], WITHOUT if branch % 2 else WITH
        if is_new[step]:
            known[site] = says
            here = branch
        else:
            here = above[branch // 2]
            if known[site] != says and barring == NONE:
                barring = step
    return n_vectors

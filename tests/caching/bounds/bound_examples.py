"""Traces for the bounds, and what they are compared with: an exhaustive optimum and FOO as the textbook writes it."""

from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog


@st.composite
def traces(draw, max_requests=40, max_objects=7):
    """(ids, size_bytes, capacity_bytes): zero sizes, equal sizes, objects larger than the cache, an empty trace."""
    n_ids = draw(st.integers(1, max_objects))
    one_size = draw(st.integers(1, 9)) if draw(st.booleans()) else None
    sizes = [one_size] * n_ids if one_size else draw(st.lists(st.integers(0, 9), min_size=n_ids, max_size=n_ids))
    ids = draw(st.lists(st.integers(0, n_ids - 1), max_size=max_requests))
    return ids, sizes, draw(st.integers(0, sum(sizes) + 2))


def value_of_hits(hits, ids, sizes, objective):
    """Hits (N,) bool counted as requests or bytes."""
    return int(sum((1 if objective == "requests" else sizes[i]) for i, hit in zip(ids, hits, strict=True) if hit))


def best_value(ids, sizes, capacity, objective):
    """The most that any cache reaches: after every request it may keep any part of what it has and was just sent."""
    best = {frozenset(): 0}
    for i in ids:
        worth = 1 if objective == "requests" else sizes[i]
        after: dict = {}
        for held, value in best.items():
            gained = value + (worth if i in held else 0)
            offered = held | {i}
            for count in range(len(offered) + 1):
                for kept in combinations(sorted(offered), count):
                    if sum(sizes[j] for j in kept) <= capacity:
                        after[frozenset(kept)] = max(after.get(frozenset(kept), 0), gained)
        best = after
    return max(best.values())


def textbook_foo(ids, sizes, capacity, objective):
    """FOO's optimum as a float: one row per gap, one column per interval, dense."""
    last, spans = {}, []
    for k, i in enumerate(ids):
        if i in last and sizes[i] <= capacity:
            spans.append((last[i], k, sizes[i]))
        last[i] = k
    if not spans:
        return 0.0
    rows = np.zeros((len(ids), len(spans)))
    for column, (start, end, size) in enumerate(spans):
        rows[start:end, column] = size
    worth = [1.0 if objective == "requests" else size for _, _, size in spans]
    solved = linprog([-w for w in worth], A_ub=rows, b_ub=np.full(len(ids), capacity), bounds=(0, 1), method="highs")
    assert solved.status == 0
    return -solved.fun

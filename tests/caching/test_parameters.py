"""Policies and their parameters as text: what is understood, what is refused, and that every value can be run."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.caching import ADMISSIONS, POLICIES, choose_admission, choose_policy, open_cache, simulate_cache
from cdn.caching.parameters import parameters_of
from cdn.errors import ParameterError, UnknownNameError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "caching.md").read_text(encoding="utf-8")
RANGED = [(policy, parameter) for policy in POLICIES.values() for parameter in parameters_of(policy).values()]


def test_a_choice_says_all_parameters_and_writes_what_was_given():
    chosen = choose_policy(" s3fifo : threshold=1 : small_share = 2e-1 ")
    assert chosen.of is POLICIES["s3fifo"] and str(chosen) == "s3fifo:threshold=1:small_share=0.2"
    assert chosen.parameters == {"small_share": 0.2, "ghost_share": 0.9, "threshold": 1}
    assert str(choose_policy("lru")) == "lru" and choose_policy("lru").parameters == {}
    assert str(choose_admission("size:threshold_bytes=1e6")) == "size:threshold_bytes=1000000"


def test_what_is_written_is_read_again_as_the_same():
    text = f"s3fifo:small_share={1 / 3!r}"
    assert choose_policy(str(choose_policy(text))).parameters["small_share"] == 1 / 3


@pytest.mark.parametrize("text, error, message", [
    ("slru:segments=2", UnknownNameError, "unknown parameter of slru 'segments'; known: n_segments"),
    ("lru:size=2", UnknownNameError, "unknown parameter of lru 'size'; known: none"),
    ("slur:n_segments=2", UnknownNameError, "unknown policy 'slur'"),
    ("slru:n_segments=5", ParameterError, "slru: n_segments: got '5', expected a whole number from 1, at most 4; it is "
                                          "segments of equal size"),
    ("slru:n_segments=1.5", ParameterError, "got '1.5', expected a whole number"),
    ("slru:n_segments=two", ParameterError, "got 'two', expected a whole number"),
    ("slru:n_segments", ParameterError, "got '', expected a whole number"),
    ("slru:n_segments=2:n_segments=3", ParameterError, "n_segments: got '3', expected a parameter to be given once"),
    ("s3fifo:small_share=1", ParameterError, "got '1', expected a number above 0, below 1"),
    ("s3fifo:small_share=nan", ParameterError, "got 'nan'"),
])  # fmt: skip
def test_what_cannot_be_chosen_is_named_with_what_can(text, error, message):
    with pytest.raises(error, match=message) as raised:
        choose_policy(text)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("table", [POLICIES, ADMISSIONS], ids=["policies", "admissions"])
def test_every_parameter_has_a_range_with_its_default(table):
    for owner in table.values():
        for parameter in parameters_of(owner).values():
            assert parameter.default in parameter.range and parameter.range.low > -math.inf
            assert parameter.kind(parameter.default) == parameter.default


@pytest.mark.parametrize("policy, parameter", RANGED, ids=lambda one: one.name)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_cache_keeps_to_its_capacity_at_the_ends_of_every_range(policy, parameter, data):
    """Sizes around the parts that the parameter makes of the cache."""
    low, high = parameter.range.low, min(parameter.range.high, 10**6)
    ends = [value for value in (low, low + 0.01, high - 0.01, high, 1, 2, 3) if value in parameter.range]
    value = data.draw(st.sampled_from([parameter.kind(end) for end in ends if parameter.kind(end) in parameter.range]))
    sizes = data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=8))
    ids = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=80))
    chosen = f"{policy.name}:{parameter.name}={value!r}"
    hit = simulate_cache(chosen, ids, sizes, 100)
    assert all(i in ids[:k] for k, i in enumerate(ids) if hit[k])
    if not policy.looks_ahead:
        cache = open_cache(chosen, 100)
        order = list(dict.fromkeys(ids))
        cache.replay(np.array([order.index(i) for i in ids], np.int32), np.array(sizes)[order])
        assert 0 <= cache.free_bytes <= 100


def test_one_segment_is_lru():
    rng = np.random.default_rng(3)
    ids, sizes = np.minimum(rng.zipf(1.3, 5000) - 1, 199), rng.integers(1, 50, 200)
    assert (simulate_cache("slru:n_segments=1", ids, sizes, 700) == simulate_cache("lru", ids, sizes, 700)).all()
    assert (simulate_cache("slru:n_segments=2", ids, sizes, 700) != simulate_cache("lru", ids, sizes, 700)).any()


def test_the_page_says_each_policys_memory():
    """A row and its cells; scalars are said where they are many (lhd's tables)."""
    rows = re.findall(r"^\| `(\w+)` \| (?:yes|no) \| (\d+)", PAGE, re.MULTILINE)
    said = {name: int(n_bytes) for name, n_bytes in rows}
    assert said == {name: policy.blank.dtype.itemsize + policy.cells_per_object * policy.cell.itemsize
                    for name, policy in POLICIES.items()}
    scalars = {name: sum(part.nbytes for part in open_cache(name, 1).state[2:]) for name in POLICIES}
    assert [name for name, n_bytes in scalars.items() if n_bytes > 1000] == ["lhd"]
    assert "36, and 7.7 MB" in PAGE and round(scalars["lhd"] / 1e6, 1) == 7.7


def test_the_page_lists_every_parameter():
    rows = [f"| `{name}` | `{p.name}` | {p.default:g} | {p.range} | {p.range.meaning} |"
            for name, policy in POLICIES.items() for p in parameters_of(policy).values()]
    heading = "| policy | parameter | default | range | meaning |\n|---|---|---|---|---|\n"
    assert PAGE.count(heading + "\n".join(rows) + "\n\n") == 1

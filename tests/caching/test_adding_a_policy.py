"""The page that says how to add a policy holds a whole one: it is run, and compared with the page's own reference."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from cdn.caching import policies, simulate_cache

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding_a_policy.md"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The page's kernel, imported from a file as it would be, and its reference."""
    kernel, reference = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path_factory.mktemp("policy") / "clock.py"
    path.write_text(kernel, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("clock", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = {}
    exec(reference, names)
    return module.simulate_clock, names["reference_clock"]


def test_the_example_equals_its_reference_once_it_is_in_the_dict(example, monkeypatch):
    kernel, reference = example
    monkeypatch.setitem(policies.POLICIES, "clock", kernel)
    rng = np.random.default_rng(5)
    for capacity in (0, 7, 60, 200, 2000):
        ids = np.minimum(rng.zipf(1.3, 1500) - 1, 59)
        sizes = rng.integers(1, 20, 60)
        hits = simulate_cache("clock", ids, sizes, capacity)
        assert hits.tolist() == reference(ids.tolist(), sizes.tolist(), capacity)


def test_the_example_by_hand(example, monkeypatch):
    """Room for two, requests 0 1 0 2 0 1: 0 is used, so 2 evicts 1 and 0 goes round; 0 hits, 1 is gone."""
    monkeypatch.setitem(policies.POLICIES, "clock", example[0])
    assert np.flatnonzero(simulate_cache("clock", [0, 1, 0, 2, 0, 1], [1, 1, 1], 2)).tolist() == [2, 4]

"""The page that says how to add a policy holds a whole one: it is run, and compared with the page's plain version."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from cdn.caching import policies, simulate_cache
from cdn.caching.trials import try_policy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding_a_policy.md"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The page's policy, imported from a file as it would be, and its plain class."""
    plain, compiled = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path_factory.mktemp("policy") / "mru.py"
    path.write_text(compiled, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mru", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = {}
    exec(plain, names)
    return module.MRU, names["Mru"]


def test_the_example_equals_its_plain_version_once_it_is_in_the_dict(example, monkeypatch):
    policy, plain = example
    monkeypatch.setitem(policies.POLICIES, "mru", policy)
    rng = np.random.default_rng(5)
    for capacity in (0, 7, 60, 200, 2000):
        ids = np.minimum(rng.zipf(1.3, 1500) - 1, 59)
        sizes = rng.integers(1, 20, 60)
        hits = simulate_cache("mru", ids, sizes, capacity)
        assert hits.tolist() == try_policy(plain(), ids.tolist(), sizes, capacity).tolist()
        assert capacity < 60 or 0 < hits.sum() < len(ids)


def test_the_example_by_hand(example, monkeypatch):
    """Room for two, requests 0 1 2 0 1 2: 2 evicts 1 (used last), 0 hits, 1 evicts 0, 2 hits."""
    monkeypatch.setitem(policies.POLICIES, "mru", example[0])
    assert np.flatnonzero(simulate_cache("mru", [0, 1, 2, 0, 1, 2], [1, 1, 1], 2)).tolist() == [3, 5]


def test_the_example_is_short(example):
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[2].split("```")[0]
    assert len([line for line in code.splitlines() if line.startswith("    ")]) <= 25

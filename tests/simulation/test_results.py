"""Replay files: they read back as they were, and say what is wrong with them."""

import json
from dataclasses import fields

import numpy as np
import pytest
from simulation.replay_examples import REQUESTS, log_of, problem_of, small_catalog, small_topology

from cdn.errors import DataError
from cdn.simulation import read_results, simulate_all, summarise, write_results
from cdn.simulation.results import CLASSES_FILE, HOURS_FILE, LINKS_FILE, SUMMARY_FILE


def results(topology, words=REQUESTS):
    catalog = small_catalog()
    problem, log = problem_of(topology, catalog), log_of(words, topology, catalog)
    replays = simulate_all(problem, topology, catalog, log, ["lru", "lfu"], {})
    return {name: summarise(problem, topology, log, replay) for name, replay in replays.items()}


@pytest.fixture
def written(tmp_path):
    topology = small_topology()
    write_results(tmp_path, results(topology), topology, {"reactive_share": 0.3})
    return tmp_path


def same(one, other):
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=True) for f in fields(one))


@pytest.mark.parametrize("words", [REQUESTS, "west a", "east a, east a"])
def test_results_read_back_as_they_were(tmp_path, words):
    """Regions that asked for nothing (NaN) and sites without an egress limit included."""
    topology = small_topology()
    before = results(topology, words)
    write_results(tmp_path, before, topology)
    after = read_results(tmp_path, topology)
    assert list(after) == sorted(before)
    assert all(same(before[name], after[name]) for name in before)


def test_no_strategies_are_written_and_read(tmp_path):
    write_results(tmp_path, {}, small_topology())
    assert read_results(tmp_path, small_topology()) == {}


def test_the_same_results_give_the_same_bytes(written, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    topology = small_topology()
    write_results(again, results(topology), topology, {"reactive_share": 0.3})
    names = sorted(path.name for path in written.iterdir())
    assert names == sorted([SUMMARY_FILE, HOURS_FILE, LINKS_FILE, CLASSES_FILE])
    assert all((written / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_tables_say_who_where_when(written):
    """lru serves 13 at e1 in hour 1 (request 7), and 8 and 10 come over o -> m in hour 1 with 12."""
    assert "lru,e1,1,10" in (written / HOURS_FILE).read_text().splitlines()
    assert "lru,3,o,m,1,30" in (written / LINKS_FILE).read_text().splitlines()
    assert json.loads((written / SUMMARY_FILE).read_text())["parameters"] == {"reactive_share": 0.3}


@pytest.mark.parametrize("file, old, new, message", [
    (HOURS_FILE, "lru,e1,1,10", "lru,e9,1,10", "site_id: got 'e9', expected an id of the topology's sites"),
    (HOURS_FILE, "lru,e1,1,10", "lru,e1,24,10", "hour: got 24, expected an hour from 0 to 23"),
    (HOURS_FILE, "lru,e1,1,10", "lru,e1,1,-1", "bytes: got '-1', expected an integer >= 0"),
    (HOURS_FILE, "lru,e1,1,10", "arc,e1,1,10", "strategy: got 'arc', expected a strategy of replay.json"),
    (HOURS_FILE, "lru,e1,1,10", "lru,e1,1,10\nlru,e1,1,10", "expected a key that stands once"),
    (LINKS_FILE, "lru,3,o,m,1,30", "lru,3,o,e1,1,30", "link: got '3/o/e1', expected a link of the topology"),
    (CLASSES_FILE, "lru,cold,0,2,20", "lru,warm,0,2,20", "class: got 'warm', expected an id of the classes"),
    (CLASSES_FILE, "lru,cold,0,2,20", "lru,cold,0,1,20", "missed_requests that are the sums of replay_classes.csv"),
    (SUMMARY_FILE, '"offload": 0.', '"offload": 7.', "offload: got 7"),
    (SUMMARY_FILE, '"e1": ', '"e7": ', "egress_bps of the topology's sites"),
    (SUMMARY_FILE, "{", "", "a readable JSON file"),
])
def test_an_altered_file_is_refused(written, file, old, new, message):
    path = written / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_results(written, small_topology())


@pytest.mark.parametrize("file", [SUMMARY_FILE, HOURS_FILE, LINKS_FILE, CLASSES_FILE])
def test_a_missing_file_is_named(written, file):
    (written / file).unlink()
    with pytest.raises(DataError, match=file):
        read_results(written, small_topology())

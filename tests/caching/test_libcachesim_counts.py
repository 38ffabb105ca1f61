"""Misses equal libCacheSim's to the request, and in bytes; benchmarks/libcachesim_counts.py wrote its counts."""

import csv
from functools import cache
from pathlib import Path

import pytest
from caching.seeded_traces import TRACES

from cdn.caching import POLICIES, simulate_cache

with (Path(__file__).parent / "libcachesim_counts.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
# libCacheSim draws victims from its hash table, we by a generator of our own.
NOT_COMPARED = {"random", "beladysize"}
ADMISSIONS = {"size": "size:threshold_bytes=2000"}

trace_of = cache(lambda name: TRACES[name]())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(list(row.values())[:4]))
def test_misses(row):
    ids, size_bytes = trace_of(row["trace"])
    admission = ADMISSIONS.get(row["admission"], row["admission"])
    hit = simulate_cache(row["policy"], ids, size_bytes, int(row["capacity_bytes"]), admission=admission)
    assert ((~hit).sum(), size_bytes[ids][~hit].sum()) == (int(row["misses"]), int(row["missed_bytes"]))


def test_every_policy_that_can_be_compared_is():
    assert {row["policy"] for row in ROWS} == set(POLICIES) - NOT_COMPARED

"""Requests per second of the cache simulator and of libCacheSim 0.3.5, alternating, one thread each.

    python -m venv peer && peer/bin/pip install libcachesim==0.3.5 numpy
    python benchmarks/simulator.py --peer peer/bin/python
    python benchmarks/simulator.py --peer peer/bin/python --requests 1000000 --objects 50000 --exponents 0.9
    python benchmarks/simulator.py --section network --requests 2000000 --objects 50000

Zipf traces of equally drawn lognormal sizes, random order of popularity. *Parsed*: ours on dense ids in memory against
libCacheSim on its binary format, which it reads in place (its fastest reader). *Raw*: the same file for both, reading
and numbering of its 64-bit ids counted. libCacheSim's time is that of its C loop (``process_trace``), without start-up.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from simulator_network import measure_network

from cdn.caching import open_cache
from cdn.caching.cache import global_next_uses
from cdn.caching.clock import OBJECT
from cdn.caching.next_uses import next_uses
from cdn.caching.policies import relabel
from cdn.caching.policy import NO_NEXT_USE
from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.traces import read_trace, replay_trace
from cdn.traces.identifiers import Objects
from cdn.traces.oracle_general import RECORD

PEERS = {"fifo": "FIFO", "lru": "LRU", "clock": "Clock", "sieve": "Sieve", "lfu": "LFU", "s3fifo": "S3FIFO",
         "slru": "SLRU", "arc": "ARC", "gdsf": "GDSF", "belady": "Belady", "2q": "TwoQ",
         "wtinylfu": "WTinyLFU", "lhd": "LHD", "random": "Random"}  # fmt: skip
TARGETS = {"fifo": 5, "lru": 5, "clock": 5, "sieve": 5, "lfu": 4, "s3fifo": 4, "slru": 4, "arc": 4, "gdsf": 10,
           "belady": 10}  # fmt: skip
RAW_TARGET = 2
PEER = """
import json, sys, time
import libcachesim as peer
path, name, size_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
reader = peer.TraceReader(path, peer.TraceType.ORACLE_GENERAL_TRACE)
cache = getattr(peer, name)(size_bytes)
start = time.perf_counter()
ratio, _ = cache.process_trace(reader)
print(json.dumps([time.perf_counter() - start, ratio]))
"""


def zipf_trace(n_requests, n_objects, exponent, seed):
    """(ids (N,) int32, size_bytes (n_objects,) int64)."""
    rng = np.random.default_rng(seed)
    shares = np.cumsum(np.arange(1, n_objects + 1) ** -exponent)
    ranks = np.searchsorted(shares / shares[-1], rng.random(n_requests))
    size_bytes = np.clip(rng.lognormal(9, 1.5, n_objects), 1, 2**31).astype(np.int64)
    return rng.permutation(n_objects).astype(np.int32)[ranks], size_bytes


def write_raw(path, ids, size_bytes, following):
    records = np.zeros(len(ids), dtype=RECORD)
    records["time"] = np.arange(len(ids)) // 1000
    records["id"] = (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    records["size_bytes"] = size_bytes[ids]
    records["next_use"] = np.where(following == NO_NEXT_USE, -1, following)
    records.tofile(path)


def ours_parsed(policy, capacity, ids, size_bytes, following):
    """(seconds, misses, bytes of state)."""
    cache = open_cache(policy, capacity)
    cache.replay(ids[:0], size_bytes, next_uses=following[:0])
    start = time.perf_counter()
    hit = cache.replay(ids, size_bytes, next_uses=following)
    seconds = time.perf_counter() - start
    return seconds, int((~hit).sum()), sum(array.nbytes for array in cache.state)


def ours_raw(policy, capacity, path):
    """(seconds, misses), without loading compiled kernels, as libCacheSim's are without its start."""
    for _ in read_trace(path):
        break
    Objects().take_in(np.zeros(1, dtype=np.uint64), np.zeros(1, dtype=np.int64))
    start = time.perf_counter()
    (count,), _ = replay_trace(read_trace(path), [(policy, capacity)], threads=1)
    return time.perf_counter() - start, count.misses


def peer_run(python, policy, capacity, path, n_requests):
    words = [python, "-c", PEER, str(path), PEERS[policy], str(capacity)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, ratio = json.loads(done.stdout.splitlines()[-1])
    return seconds, round(ratio * n_requests)


@step
def touch(rows, ids, hit):
    """What any simulator must do: one row of 16 bytes per request is read and written, and the result noted."""
    last = len(ids) - 1
    for k in range(len(ids)):
        prefetch(rows, ids[min(k + 16, last)])
        rows[ids[k]].used += 1
        hit[k] = rows[ids[k]].slot == 0


@step
def chase(rows, ids, hit):
    """The same without knowing ahead: each address waits for the row before."""
    moved = 0
    for k in range(len(ids)):
        i = ids[k] ^ moved
        rows[i].used += 1
        moved = rows[i].slot
        hit[k] = moved == 0


def floor_ns(loop, ids, n_objects):
    rows, hit = np.zeros(n_objects, dtype=OBJECT), np.zeros(len(ids), dtype=np.bool_)
    loop(rows, ids[:1], hit)
    start = time.perf_counter()
    loop(rows, ids, hit)
    return (time.perf_counter() - start) / len(ids) * 1e9


def processor():
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {len(names)} cores, Python {platform.python_version()}"


def measure(arguments, exponent, folder):
    ids, sizes = zipf_trace(arguments.requests, arguments.objects, exponent, arguments.seed)
    dense, members = relabel(ids, len(sizes))
    following = global_next_uses(next_uses(dense, len(members)))
    path = Path(folder) / "trace.oracleGeneral.bin"
    write_raw(path, ids, sizes, following)
    sizes = sizes[members]
    n, footprint = len(ids), int(sizes.sum())
    ahead, behind = (floor_ns(loop, dense, len(sizes)) for loop in (touch, chase))
    print(f"\nZipf {exponent}: {n:,} requests, {len(sizes):,} objects, {footprint / 1e9:.1f} GB. Floor, one 16-byte "
          f"row a request: {ahead:.1f} ns where its place is known before, {behind:.1f} ns where not.\n")  # fmt: skip
    print("| cache | policy | M/s ours | M/s libCacheSim | ratio | target | raw: ours | raw ratio | same misses "
          "| ns/request | state B/object |\n|---|---|---|---|---|---|---|---|---|---|---|", flush=True)  # fmt: skip
    for share in arguments.shares:
        capacity = int(footprint * share)
        for policy in arguments.policies:
            seconds, misses, state = min(ours_parsed(policy, capacity, dense, sizes, following)
                                         for _ in range(arguments.repeats))  # fmt: skip
            theirs, their_misses = peer_run(arguments.peer, policy, capacity, path, n)
            raw, raw_misses = ours_raw(policy, capacity, path)
            same = "yes" if misses == raw_misses == their_misses else f"no: {misses} {raw_misses} {their_misses}"
            print(f"| {share:.0%} | {policy} | {n / seconds / 1e6:.1f} | {n / theirs / 1e6:.2f} | "
                  f"{theirs / seconds:.1f} | {TARGETS.get(policy, '')} | {n / raw / 1e6:.1f} | {theirs / raw:.1f} | "
                  f"{same} | {seconds / n * 1e9:.1f} | {state / len(sizes):.0f} |", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has libcachesim==0.3.5")
    parser.add_argument("--requests", type=int, default=20_000_000)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--exponents", type=float, nargs="+", default=[0.8, 0.9, 1.0])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.1])
    parser.add_argument("--policies", nargs="+", choices=PEERS, default=list(TARGETS))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--section", choices=["cache", "network"], default="cache")
    parser.add_argument("--regions", type=int, default=50, help="of the network")
    arguments = parser.parse_args()
    print(processor())
    if arguments.section == "network":
        ids, sizes = zipf_trace(arguments.requests, arguments.objects, arguments.exponents[0], arguments.seed)
        measure_network(ids, sizes, arguments.regions, ["lru"], arguments.repeats, arguments.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        for exponent in arguments.exponents:
            measure(arguments, exponent, folder)


if __name__ == "__main__":
    main()

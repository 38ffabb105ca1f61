"""Bounds and curves on Zipf traces: how tight, how fast, how much memory, and how far samples are off.

    python benchmarks/bounds.py                       1 M requests, 100,000 objects, with FOO in slices
    python benchmarks/bounds.py --requests 20000000 --objects 1000000 --without foo_slices

Popularity is Zipf (exponent 0.9), sizes are lognormal (median 13 kB, sigma 1.5), both drawn from the seed; the cache is
a share of the footprint. One thread; kernels are compiled before the clock starts. Memory is what the resident set rose
by while a step ran, above the trace itself.
"""

import argparse
import ctypes
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import numba
import numpy as np

from cdn.caching import POLICIES, simulate_cache
from cdn.caching.bounds import BOUNDS, OBJECTIVES, REQUESTS, stream_intervals
from cdn.caching.bounds.foo import bound_by_slices
from cdn.caching.curves import miss_ratio_curve, spread_capacities

RATES, SEEDS = (0.1, 0.01, 0.001), range(5)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def zipf_trace(n_requests: int, n_objects: int, exponent: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int32 and (n_objects,) int64 bytes, both independent draws."""
    rng = np.random.default_rng(seed)
    cumulative = np.cumsum(1 / np.arange(1, n_objects + 1) ** exponent)
    ids = np.searchsorted(cumulative, rng.random(n_requests) * cumulative[-1]).astype(np.int32)
    return ids, np.maximum(rng.lognormal(9.5, 1.5, n_objects), 1).astype(np.int64)


def measured(step: Callable[[], Any]) -> tuple[Any, float, str]:
    """Result, seconds, and the rise of the resident set (Linux only)."""
    before = 0.0
    if CLEAR.exists():
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text("5")
        before = _resident_mb("VmRSS")
    started = time.perf_counter()
    result = step()
    seconds = time.perf_counter() - started
    rise = f"{max(_resident_mb('VmHWM') - before, 0):,.0f} MB" if CLEAR.exists() else "?"
    return result, seconds, rise


def _resident_mb(field: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def bounds_table(ids: np.ndarray, sizes: np.ndarray, capacity: int, objective: str, names: list[str],
                 slice_requests: int) -> None:
    """Hits of policies and bounds at one cache size."""
    total = len(ids) if objective == REQUESTS else int(sizes[ids].sum())
    steps: dict[str, Callable[[], int]] = {name: lambda name=name: _hits(name, ids, sizes, capacity, objective)
                                           for name in ("lru", "lfu")}
    for name in names:
        steps[name] = lambda name=name: BOUNDS[name](stream_intervals(ids, sizes, capacity, objective))
    if "foo_slices" in steps:
        steps["foo_slices"] = lambda: bound_by_slices(stream_intervals(ids, sizes, capacity, objective), slice_requests)
    print(f"\n| hits in {objective} | hit ratio | seconds | M requests/s | memory |\n|---|---|---|---|---|")
    for name, step in steps.items():
        hits, seconds, memory = measured(step)
        print(f"| {name} | {100 * hits / total:.3f} % | {seconds:.2f} | {len(ids) / seconds / 1e6:.2f} | {memory} |",
              flush=True)


def _hits(policy: str, ids: np.ndarray, sizes: np.ndarray, capacity: int, objective: str) -> int:
    hit = simulate_cache(policy, ids, sizes, capacity)
    return int(hit.sum() if objective == REQUESTS else sizes[ids[hit]].sum())


def curves_table(ids: np.ndarray, sizes: np.ndarray) -> None:
    """The exact LRU curve against simulation, and samples against it."""
    capacities = spread_capacities(ids, sizes)
    exact, seconds, memory = measured(lambda: miss_ratio_curve("lru", ids, sizes, capacities))
    off = [abs(simulate_cache("lru", ids, sizes, capacities[k]).mean() - (1 - exact.miss_ratio[k]))
           for k in range(0, len(capacities), 6)]
    print(f"\nExact LRU curve at {len(capacities)} sizes, {(capacities < sizes.max()).sum()} of them below the largest "
          f"object: {seconds:.2f} s, {len(ids) / seconds / 1e6:.2f} M requests/s, {memory}; largest difference to "
          f"simulation at every sixth size: {max(off):.1e}")
    print("\n| lru, 5 seeds | requests | seconds | error, requests: mean, max | stated | error, bytes: mean, max "
          "| stated | within two stated |\n|---|---|---|---|---|---|---|---|")
    for rate in RATES:
        runs = [measured(lambda rate=rate, seed=seed: miss_ratio_curve("lru", ids, sizes, capacities, sample_rate=rate,
                                                                       seed=seed)) for seed in SEEDS]
        found = [run[0] for run in runs]
        cells = [f"{np.mean([c.sampled_requests for c in found]):,.0f}", f"{np.mean([run[1] for run in runs]):.2f}"]
        held = []
        for ratio, error in (("miss_ratio", "error"), ("byte_miss_ratio", "byte_error")):
            gaps = np.abs([getattr(c, ratio) - getattr(exact, ratio) for c in found])
            stated = np.array([getattr(c, error) for c in found])
            cells += [f"{gaps.mean():.4f}, {gaps.max():.4f}", f"{stated.mean():.4f}"]
            held.append((gaps <= 2 * stated).mean())
        print(f"| rate {rate:g} | {' | '.join(cells)} | {100 * np.mean(held):.1f} % |", flush=True)


def mini_simulation_table(ids: np.ndarray, sizes: np.ndarray) -> None:
    """LFU in caches of rate x capacity against LFU in full, by size, with the standard error stated."""
    capacities = spread_capacities(ids, sizes, 7)
    exact, seconds, _ = measured(lambda: miss_ratio_curve("lfu", ids, sizes, capacities))
    print(f"\n| lfu, miss ratio of requests | seconds | {' | '.join(f'{c / 1e6:.4g} MB' for c in capacities)} |")
    print(f"|---|---|{'---|' * len(capacities)}")
    print(f"| simulation | {seconds:.2f} | {' | '.join(f'{ratio:.3f}' for ratio in exact.miss_ratio)} |")
    for rate in RATES:
        mini, seconds, _ = measured(lambda rate=rate: miss_ratio_curve("lfu", ids, sizes, capacities, sample_rate=rate))
        errors = ["?" if np.isnan(error) else f"{error:.3f}" for error in mini.error]
        cells = [f"{ratio:.3f} ± {error}" for ratio, error in zip(mini.miss_ratio, errors, strict=True)]
        print(f"| rate {rate:g} | {seconds:.2f} | {' | '.join(cells)} |")


def warm_up() -> None:
    """Compiles every kernel."""
    ids, sizes = zipf_trace(2000, 200, 0.9, 0)
    for objective in OBJECTIVES:
        intervals = stream_intervals(ids, sizes, int(sizes.sum() // 10), objective)
        for bound in BOUNDS.values():
            bound(intervals)
    for policy in POLICIES:
        miss_ratio_curve(policy, ids, sizes, [10_000, int(sizes.sum())], sample_rate=0.5)
    miss_ratio_curve("lru", ids, sizes, [10_000, int(sizes.sum())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--exponent", type=float, default=0.9)
    parser.add_argument("--cache-share", type=float, default=0.1)
    parser.add_argument("--slice-requests", type=int, default=20_000)
    parser.add_argument("--without", default="foo", help="bounds left out, joined by commas (foo always)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    warm_up()
    ids, sizes = zipf_trace(given.requests, given.objects, given.exponent, given.seed)
    footprint = int(sizes[np.unique(ids)].sum())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"numba {numba.__version__}, HiGHS {highspy.Highs().version()}")
    print(f"Zipf {given.exponent}, {given.requests:,} requests, {given.objects:,} objects, footprint "
          f"{footprint / 1e9:.2f} GB, cache {100 * given.cache_share:g} % of it")
    left_out = {"foo", *given.without.split(",")}
    for objective in OBJECTIVES:
        bounds_table(ids, sizes, int(given.cache_share * footprint), objective,
                     [name for name in BOUNDS if name not in left_out], given.slice_requests)
    curves_table(ids, sizes)
    mini_simulation_table(ids, sizes)


if __name__ == "__main__":
    main()

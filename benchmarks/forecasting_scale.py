"""Time and memory of every forecasting method at scale: 100 regions x 100,000 titles x 60 days.

    python benchmarks/forecasting_scale.py [--regions 100] [--titles 100000] [--days 60] [--requests-per-day 1000000]
                                           [--methods a,b] [--threads 1]

Writes a table to stdout. Each method runs in a process of its own that reads the same history from a file; its seconds
are those of the forecast with its dispersion, compilation left out (a small history is forecast first); its memory is
the peak of the process, the history included.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cdn.forecasting.forecasters import FORECASTERS, parameters_of
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.titles import TitleAttributes
from cdn.forecasting.uncertainty import with_dispersion
from cdn.model.index import Index

UNTIL_DAY = 20_000
REGIONS_PER_COUNTRY = 4
EPISODES_PER_SEASON = 8
YOUNG_SHARE = 0.05
ARRAYS = ("observed", "day", "region", "asset", "requests", "bytes", "hour_bytes")


def release_days(n_titles: int, n_days: int, rng: np.random.Generator) -> np.ndarray:
    """A twentieth of the titles come out in the history's days or on the forecast day, the others long before."""
    young = rng.random(n_titles) < YOUNG_SHARE
    return np.where(young, UNTIL_DAY - rng.integers(0, n_days, n_titles), UNTIL_DAY - 1000)


def build_history(n_regions: int, n_titles: int, n_days: int, requests_per_day: int, seed: int = 1) -> History:
    """Requests drawn from a Zipf law (0.8) that drifts and has launches, regions as 1 / sqrt(rank)."""
    rng = np.random.default_rng(seed)
    release = release_days(n_titles, n_days, rng)
    popularity = rng.permutation(np.arange(1, n_titles + 1) ** -0.8)
    volume = np.arange(1, n_regions + 1) ** -0.5
    days = [_day(UNTIL_DAY - n_days + d, release, popularity, volume, requests_per_day, rng) for d in range(n_days)]
    key, requests = (np.concatenate([day[k] for day in days]) for k in (0, 1))
    day = np.repeat(np.arange(n_days), [len(one[0]) for one in days])
    hour_bytes = np.full((n_days, 24, n_regions), 1e12)
    return History(Index(map(str, range(n_regions))), Index(map(str, range(n_titles))), UNTIL_DAY - n_days,
                   np.ones(n_days, dtype=bool), day, key % n_regions, key // n_regions, requests, requests * 10**9,
                   hour_bytes)


def _day(number: int, release: np.ndarray, popularity: np.ndarray, volume: np.ndarray, requests: int,
         rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    age = number - release
    life = np.where(age < 0, 0.0, 1 + 8 * np.exp(-np.maximum(age, 0) / 7))
    weight = popularity * life * np.exp(0.2 * rng.standard_normal(len(release)))
    title = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(requests))
    region = np.searchsorted(np.cumsum(volume) / volume.sum(), rng.random(requests))
    return np.unique(np.minimum(title, len(release) - 1) * len(volume) + region, return_counts=True)


def knowledge_of_titles(n_regions: int, n_titles: int, n_days: int, seed: int = 1) -> Knowledge:
    """Two kinds, eight genres, seasons of eight episodes, four regions to a country."""
    rng = np.random.default_rng(seed)
    release = release_days(n_titles, n_days, rng)
    title = np.arange(n_titles)
    season = title // EPISODES_PER_SEASON
    titles = TitleAttributes(season % 2, season % 8, season, season, release, title % EPISODES_PER_SEASON)
    return Knowledge(titles, np.arange(n_regions) // REGIONS_PER_COUNTRY, None, np.full(n_titles, 10**9))


def measure(method: str, path: Path, threads: int) -> dict[str, float]:
    """Seconds, entries and peak memory of one method on a stored history."""
    options = {"threads": threads} if "threads" in parameters_of(method) else {}
    small = build_history(5, 400, 30, 4000)
    with_dispersion(FORECASTERS[method], small, UNTIL_DAY, knowledge_of_titles(5, 400, 30), **options)
    history = _read(path)
    shape = len(history.region_index), len(history.asset_index), len(history.observed)
    knowledge = knowledge_of_titles(*shape)
    started, started_cpu = time.perf_counter(), time.process_time()
    expected = with_dispersion(FORECASTERS[method], history, UNTIL_DAY, knowledge, **options)
    return {"seconds": time.perf_counter() - started, "processor": time.process_time() - started_cpu,
            "entries": len(expected), "requests": float(expected.requests.sum()),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def _read(path: Path) -> History:
    with np.load(path) as stored:
        n_regions, n_titles, first_day = stored["shape"]
        return History(Index(map(str, range(n_regions))), Index(map(str, range(n_titles))), int(first_day),
                       *(stored[name] for name in ARRAYS))


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("regions", 100), ("titles", 100_000), ("days", 60), ("requests-per-day", 1_000_000),
                          ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--methods", default=",".join(FORECASTERS))
    parser.add_argument("--child", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.child[0], Path(given.child[1]), given.threads)))
        return
    history = build_history(given.regions, given.titles, given.days, given.requests_per_day)
    print(f"{given.regions} regions x {given.titles:,} titles x {given.days} days, {len(history):,} entries, "
          f"{history.requests.sum():,} requests; {platform.python_version()}, {given.threads} thread(s)\n")
    print("| method | seconds | processor | entries | peak MB |\n|---|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.npz"
        np.savez(path, shape=[given.regions, given.titles, history.first_day],
                 **{name: getattr(history, name) for name in ARRAYS})
        del history
        for method in given.methods.split(","):
            done = subprocess.run([sys.executable, __file__, "--child", method, str(path), "--threads",
                                   str(given.threads)], capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"| `{method}` | {done.stderr.strip().splitlines()[-1]} | | | |", flush=True)
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"| `{method}` | {found['seconds']:.1f} | {found['processor']:.1f} | {found['entries']:,} "
                  f"| {found['peak_mb']:,.0f} |", flush=True)


if __name__ == "__main__":
    main()

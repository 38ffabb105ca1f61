"""The instances that placement is measured on.

    python benchmarks/placement_instances.py [NAME ...]

builds them (all but the largest two unless named), each in a process of its own, and prints entries, seconds and
memory. Same name, same bytes.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from placement_family import SPARSE, Shape, build_problem
from placement_small import SMALL

from cdn.model.problem import Problem

TABLE = {
    "20k-20-10": Shape(20_000, 20, 10),
    "20k-100-110": Shape(20_000, 100, 110),
    "100k-100-110": Shape(100_000, 100, 110),
    "1M-100-110": Shape(1_000_000, 100, 110, SPARSE),
    "100k-1000-1100": Shape(100_000, 1000, 1100, (0.1, 0.1)),
}
"""The table of what placement must reach."""
PEERS = {
    "500-20-10": Shape(500, 20, 10),
    "1k-20-10": Shape(1_000, 20, 10),
    "2k-20-10": Shape(2_000, 20, 10),
    "5k-20-10": Shape(5_000, 20, 10),
    "10k-20-10": Shape(10_000, 20, 10),
    "2k-100-110": Shape(2_000, 100, 110),
}
"""What other solvers can still solve."""
GROWTH = {
    f"growth-{name}": Shape(n, 100, 110, SPARSE)
    for name, n in (
        ("1k", 1_000),
        ("3k", 3_000),
        ("10k", 10_000),
        ("30k", 30_000),
        ("100k", 100_000),
        ("300k", 300_000),
        ("1M", 1_000_000),
    )
}
"""One family from a thousand assets to a million, a third of the (asset, region) pairs asked for."""
SHAPES = TABLE | PEERS | GROWTH
LIMITS = "+limits"
LARGEST = ("1M-100-110", "growth-1M")


def rss_mb() -> float:
    """Memory resident now, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak_mb() -> float:
    """Most memory that was ever resident, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def builders() -> dict[str, Callable[[], Problem]]:
    """Every instance by name, those with limits under ``NAME+limits``."""
    plain = {name: partial(build_problem, shape) for name, shape in SHAPES.items()}
    limited = {f"{name}{LIMITS}": partial(build_problem, shape, limits=True) for name, shape in (TABLE | PEERS).items()}
    return plain | limited | SMALL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = builders()
    parser.add_argument("names", nargs="*", choices=[[], *known], metavar="NAME", help=", ".join(known))
    parser.add_argument("--row", action="store_true", help="build one in this process and print its row")
    arguments = parser.parse_args()
    if arguments.row:
        print_row(arguments.names[0], known[arguments.names[0]])
        return
    print("| instance | assets | regions | caches | entries | connections | build s | MB after | MB peak |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in arguments.names or [name for name in known if not name.startswith(LARGEST)]:
        subprocess.run([sys.executable, __file__, name, "--row"], check=True)


def print_row(name: str, build: Callable[[], Problem]) -> None:
    started = time.perf_counter()
    problem = build()
    seconds = time.perf_counter() - started
    connections = problem.may_serve.sum(axis=0)
    print(
        f"| {name} | {len(problem.asset_index):,} | {len(problem.region_index):,} | {problem.n_caches:,} "
        f"| {len(problem.demand):,} | {connections.min()} to {connections.max()} | {seconds:.1f} "
        f"| {rss_mb():,.0f} | {peak_mb():,.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""Placement measured: certified gaps, seconds and memory against what they must reach, and against other solvers.

    python benchmarks/placement.py [--sections cold table limits warm small peers growth] [--instances NAME ...]
                                   [--quick] [--method M] [--threads N] [--compiled] [--keep FILE]

Every run is a process of its own, so that its peak memory is its own; a tiny run first fills numba's cache on disk.
Bounds are recomputed by ``cdn.evaluation.lower_bound`` from the prices. Prints Markdown. The section ``peers`` needs
the extra ``benchmarks`` (OR-tools).
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from placement_children import Children, number, percent, print_table, seconds
from placement_growth import PICTURE, draw_growth, fit_exponent, keep_points
from placement_instances import GROWTH, LIMITS, SHAPES, TABLE
from placement_ratios import print_peers_section
from placement_small import SMALL

from cdn.placement import PLACERS

TARGETS = {
    "20k-20-10": (0.0005, 3.0, 1_000),
    "20k-100-110": (0.003, 20.0, 2_000),
    "100k-100-110": (0.002, 60.0, 4_000),
    "1M-100-110": (0.002, 600.0, 8_000),
    "100k-1000-1100": (0.005, 600.0, 8_000),
}
"""Certified gap, seconds and MB to reach."""
LIMITED_GAP, SAVING_GAP, SMALL_SECONDS = 0.01, 0.003, 60.0
WARM = ("20k-100-110", "100k-100-110")
QUICK = ("500-20-10", "20k-20-10", "growth-1k", "growth-3k", "growth-10k", "small", "mid-ties")
LIMIT_S = 900.0
TINY = ("small", "500-20-10", "500-20-10+limits", "growth-1k")
"""The last has blocks that are taken in parts, which kernels are compiled anew for."""
COLD = ("small", "2k-100-110", "mid-even")
"""Unlike in what is compiled for them: small blocks, blocks in parts, blocks whose entries see many caches."""
RESULT_COLUMNS = (
    "instance",
    "entries",
    "cost",
    "gap",
    "gap of the saving",
    "place s",
    "verify s",
    "peak MB (instance)",
    "asked",
    "met",
)


def print_cold_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """What compiling costs."""
    print("\n## Cold start: seconds of a process that places and judges (asked: 20 s to compile)")
    rows = [[name, *map(seconds, children.compile_seconds(name))] for name in filter(chosen, COLD)]
    print_table(("instance", "nothing compiled", "compiled"), rows)


def print_results(children: Children, names: list[str], asked: Callable[[str], tuple[float, float, float]]) -> None:
    """One row per instance against the gap, seconds and MB ``asked`` of it."""
    print_table(RESULT_COLUMNS, [_result_row(name, children.place(name), asked(name)) for name in names])


def _result_row(name: str, found: dict, asked: tuple[float, float, float]) -> list[str]:
    if "failed" in found:
        return [name, *[""] * 7, found["failed"], "no"]
    gap, limit_s, limit_mb = asked
    met = [
        word
        for word, holds in (
            ("gap", found["gap"] is not None and found["gap"] <= gap),
            ("time", found["place_s"] <= limit_s),
            ("memory", found["peak_mb"] <= limit_mb),
            ("rules", not found["violations"]),
        )
        if not holds
    ]
    return [
        name,
        number(found["entries"]),
        f"{found['cost']:.8g}",
        percent(found["gap"], 4),
        percent(found["saving_gap"], 4),
        seconds(found["place_s"]),
        seconds(found["verify_s"]),
        f"{number(found['peak_mb'])} ({number(found['built_mb'])})",
        f"{percent(gap, 2)}, {limit_s:.0f} s, {limit_mb / 1000:g} GB",
        "not " + ", ".join(met) if met else "yes",
    ]


def print_table_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """What the table of targets asks."""
    print("\n## Placement at scale")
    print_results(children, [name for name in TABLE if chosen(name)], TARGETS.__getitem__)


def print_limits_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """The same with limits that bind."""
    print("\n## The same with egress, fill budget, fill cost and links binding")
    names = [f"{name}{LIMITS}" for name in TABLE if chosen(name)]
    print_results(children, names, lambda name: (LIMITED_GAP, *TARGETS[name.removesuffix(LIMITS)][1:]))


def print_warm_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """Last night's prices."""
    print("\n## Warm start: today's demand with yesterday's prices, to the same certified gap")
    rows = []
    for name in filter(chosen, WARM):
        found = children.place(name, "--warm-start")
        if "failed" in found:
            rows.append([name, found["failed"], *[""] * 6])
            continue
        cold, warm = found["cold"], found["warm"]
        share = warm["passes"] / cold["passes"] if cold["passes"] and warm["passes"] else None
        rows.append(
            [
                name,
                percent(cold["gap"]),
                percent(warm["gap"]),
                number(cold["passes"], 1),
                number(warm["passes"], 1),
                percent(share, 0),
                seconds(cold["place_s"]),
                seconds(warm["place_s"]),
            ]
        )
    columns = (
        "instance",
        "gap cold",
        "gap warm",
        "passes cold",
        "passes warm",
        "share (asked: 50 %)",
        "s cold",
        "s warm",
    )
    print_table(columns, rows)


def print_small_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """Proven optimality of small ones; mid-sized ones by their gap of the saving."""
    print("\n## Small and mid-sized instances")
    rows = []
    for name in filter(chosen, SMALL):
        for method in ("mip", children.method) if name.startswith("small") else ("greedy", children.method):
            found = children.place(name, *(("--gap", 1e-7) if method == "mip" else ()), method=method)
            if "failed" in found:
                rows.append([name, method, found["failed"], *[""] * 6])
                continue
            gap = found["saving_gap"]
            held = gap is not None and gap <= SAVING_GAP and found["place_s"] <= SMALL_SECONDS
            rows.append(
                [
                    name,
                    method,
                    number(found["entries"]),
                    f"{found['cost']:.8g}",
                    percent(found["gap"], 4),
                    percent(found["saving_gap"], 4),
                    seconds(found["place_s"]),
                    number(found["peak_mb"]),
                    "" if method == "greedy" else "yes" if held else "no",
                ]
            )
    columns = (
        "instance",
        "method",
        "entries",
        "cost",
        "gap",
        "gap of the saving",
        "s",
        "peak MB",
        f"within {percent(SAVING_GAP, 1)} and {SMALL_SECONDS:.0f} s",
    )
    print_table(columns, rows)


def print_growth_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """Seconds from a thousand assets to a million."""
    print("\n## Growth")
    fresh = []
    for name in filter(chosen, GROWTH):
        for threads in (1, 2):
            found = children.place(name, threads=threads)
            if "failed" in found:
                print(f"\n{name}, {threads} thread(s): {found['failed']}")
                continue
            shown = {key: found[key] for key in ("entries", "gap", "passes", "place_s", "peak_mb")}
            fresh.append({"assets": SHAPES[name].assets, "threads": threads} | shown)
    frame = keep_points(fresh)
    print_table(
        ("assets", "threads", "entries", "gap", "passes", "s", "peak MB", "measured"),
        [_growth_row(point) for point in frame.to_dict("records")],
    )
    for threads, of_threads in frame.groupby("threads"):
        if len(of_threads) > 1:
            exponent = fit_exponent(of_threads["assets"].to_numpy(), of_threads["place_s"].to_numpy())
            print(f"Fitted with {threads} thread(s): seconds ~ assets^{exponent:.2f}.")
    draw_growth(frame.rename(columns={"place_s": "seconds"}), PICTURE)
    print(f"\nDrawn: {PICTURE.relative_to(PICTURE.parents[2])}")


def _growth_row(point: dict) -> list[str]:
    figures = [percent(point["gap"], 4), number(point["passes"], 1), seconds(point["place_s"])]
    counts = [number(point[key]) for key in ("assets", "threads", "entries")]
    return [*counts, *figures, number(point["peak_mb"]), point["measured"]]


SECTIONS = {
    "cold": print_cold_section,
    "table": print_table_section,
    "limits": print_limits_section,
    "warm": print_warm_section,
    "small": print_small_section,
    "peers": print_peers_section,
    "growth": print_growth_section,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--instances", nargs="+", choices=[*SHAPES, *SMALL], metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true", help="only the smallest ones, a few minutes in all")
    parser.add_argument("--method", choices=PLACERS, default="decomposition" if "decomposition" in PLACERS else "lp")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--time-limit", type=float, default=LIMIT_S, metavar="S", help="of our placer")
    parser.add_argument("--compiled", action="store_true", help="kernels are on disk already")
    parser.add_argument("--keep", type=Path, help="file of other solvers' measurements, reused and added to")
    given = parser.parse_args()
    instances = given.instances or (QUICK if given.quick else [*SHAPES, *SMALL])
    children = Children(given.method, given.threads, given.time_limit, given.keep)
    print(f"# Placement\n\nMethod `{given.method}`, {given.threads} threads; solvers beside it with one.")
    if not given.compiled:
        for instance in TINY:
            children.place(instance)
    for section in given.sections:
        print(section, file=sys.stderr)
        SECTIONS[section](children, lambda name: name in instances)


if __name__ == "__main__":
    main()

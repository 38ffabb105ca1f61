"""Other solvers side by side: how long each takes to a certified gap, and how long we take to one as small."""

from collections.abc import Callable

from placement_children import Children, number, percent, print_table, seconds
from placement_instances import PEERS

from cdn.planning import gap_of

PEER_LIMIT_S = 900.0
PEER_RUNS = (
    ("pulp-highs", 1e-7),
    ("highs-simplex", 1e-7),
    ("highs-ipx", 1e-8),
    ("pdlp", 1e-2),
    ("pdlp", 1e-3),
    ("pdlp", 3e-4),
    ("pdlp", 1e-4),
)
"""Solver and tolerance; loose ones only where a solver can be stopped early with duals that prove something."""
LARGEST, LARGEST_LIMIT_S = "20k-20-10", 6000.0
"""Given more seconds, and not by way of PuLP, nor to interior point: that needs six times as long as simplex at 5k."""
TOO_LARGE = ("pulp-highs", "highs-ipx")
LOADED = "--kernels-loaded"
USELESS_GAP = 0.5
AGREEMENT = 10.0
"""Two solvers' values of one relaxation may differ by this many times the looser tolerance, relative to the value."""
COLUMNS = (
    "instance",
    "solver",
    "build s",
    "ended",
    "s",
    "processor s",
    "gap",
    "our s",
    "our processor s",
    "our gap",
    "ratio",
    "peak MB",
)


def print_peers_section(children: Children, chosen: Callable[[str], bool]) -> None:
    """Other solvers' bounds, as gaps below the best placement known, and our seconds to a certified gap as small."""
    print("\n## Other solvers")
    print(
        "\nTheir gap is that of the bound which their duals prove below our best cost: placing is free for them. "
        "Ours is certified, placement included. `build` is the building of their model. One thread each; the ratio is "
        "that of processor seconds, which other work on the machine does not stretch. A ratio "
        f"after > is against a solver that proved nothing in {PEER_LIMIT_S:.0f} s ({LARGEST_LIMIT_S:.0f} s "
        f"on {LARGEST}). Our kernels are loaded from disk before the clock starts, as their libraries are."
    )
    rows = []
    check_agreement(children, next(iter(PEERS)))
    for name in filter(chosen, (*PEERS, LARGEST)):
        ours = children.place(name, LOADED, threads=1)
        if "failed" in ours:
            rows.append([name, "ours", "", ours["failed"], *[""] * 8])
            continue
        rows.append(_our_row(name, ours))
        rows += [
            _peer_row(children, name, solver, tolerance, ours)
            for solver, tolerance in PEER_RUNS
            if name != LARGEST or solver not in TOO_LARGE
        ]
    print_table(COLUMNS, rows)


def check_agreement(children: Children, name: str) -> None:
    """All solve the same relaxation as our ``lp``, and no duals prove more than its value."""
    found = {run: children.solve_relaxation(name, *run, 1, PEER_LIMIT_S) for run in PEER_RUNS}
    failed = {solver: measured["failed"] for (solver, _), measured in found.items() if "failed" in measured}
    if failed:
        reasons = "; ".join(f"{solver}: {why}" for solver, why in failed.items())
        print(f"\nWhether all solve the same relaxation was not checked on {name}. {reasons}")
        return
    value = found[PEER_RUNS[0]]["relaxed_cost"]
    for (solver, tolerance), measured in found.items():
        off = abs(measured["relaxed_cost"] - value) / value
        if off > AGREEMENT * tolerance or measured["bound"] > value * (1 + 1e-9):
            raise AssertionError(f"{solver} at {tolerance:g} on {name}: {measured['relaxed_cost']}, lp says {value}")
    print(f"\nAll find the value of `lp` on {name}, {value:.10g}, within {AGREEMENT:g} times their tolerance.")


def _our_row(name: str, ours: dict) -> list[str]:
    shown = [seconds(ours["place_s"]), seconds(ours["cpu_s"]), percent(ours["gap"], 4)]
    return [name, "ours, to its end", "", ours["status"], *shown, *shown, "", number(ours["peak_mb"])]


def _peer_row(children: Children, name: str, solver: str, tolerance: float, ours: dict) -> list[str]:
    limit_s = LARGEST_LIMIT_S if name == LARGEST and solver != "pdlp" else PEER_LIMIT_S
    found = children.solve_relaxation(name, solver, tolerance, 1, limit_s)
    label = f"{solver} at {tolerance:g}" if solver == "pdlp" else solver
    if "failed" in found:
        return [name, label, "", found["failed"], *[""] * 8]
    gap = gap_of(ours["cost"], found["bound"])
    theirs = [seconds(found["build_s"]), found["status"], seconds(found["solve_s"]), seconds(found["cpu_s"])]
    reached, ratio = _race(children, name, found, gap, ours)
    us = [seconds(reached["place_s"]), seconds(reached["cpu_s"]), percent(reached["gap"], 4)]
    return [name, label, *theirs, percent(gap, 4), *us, ratio, number(found["peak_mb"])]


def _race(children: Children, name: str, found: dict, gap: float, ours: dict) -> tuple[dict, str]:
    """Our run to a gap, and how many times as long the other solver took."""
    nothing = gap > USELESS_GAP
    reached = ours if nothing or ours["gap"] is None else children.place(name, LOADED, "--gap", gap, threads=1)
    if "failed" in reached:
        return ours, reached["failed"]
    if not nothing and (reached["gap"] is None or reached["gap"] > gap):
        return reached, "not reached"
    ratio = (found["build_s"] + found["cpu_s"]) / reached["cpu_s"]
    return reached, ("> " if nothing else "") + (f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}")

"""The night on the CRAN mirror log: plan from 26 and 27 December 2012, replay 28 December. One command, one table.

    python benchmarks/nightly_on_cran.py [--storage 0.02 0.05 0.2] [--quick]

Every policy, at three cache sizes, with and without the clients that sweep the whole mirror. Costs are those stated in
``benchmarks/cran.py``; offload and request hit ratio do not depend on them. Prints Markdown.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from cran import SWEEP_PACKAGES, Cran, network_of, read_cran

from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
from cdn.model.network import Network
from cdn.model.problem import Problem, build_problem
from cdn.model.request_log import RequestLog
from cdn.planning import PlannedPlacement, plan_placement, without_fill_limits
from cdn.simulation.metrics import Metrics, summarise
from cdn.simulation.replaying import replay
from cdn.simulation.true_demand import demand_of_log

FIRST, LAST, DAY = "2012-12-26", "2012-12-27", "2012-12-28"
SHARES = (0.02, 0.05, 0.2)
HYBRID_SHARES = (0.1, 0.3, 0.5)
POLICIES = ("lru", "lfu", "fifo")
MIP_GAP, MIP_TIME_LIMIT_S = 0.001, 60.0
# Pairs a region never asked for and is expected to ask for less often than this are left out: it halves the LP.
MIN_REQUESTS = 0.05


@dataclass
class Case:
    """One cache size, with or without sweeping clients, and the rows measured on it."""

    cran: Cran
    network: Network
    history: RequestLog
    day_log: RequestLog
    quick: bool
    rows: list[dict] = field(default_factory=list)

    def problem(self, method: str) -> Problem:
        history = history_of_log(self.history, day_number(pd.Timestamp(DAY)))
        parameters = {"min_requests": MIN_REQUESTS} if method in ("shrinkage", "ensemble") else {}
        demand = forecast(history, pd.Timestamp(DAY), method, self.cran.catalog, **parameters)
        return build_problem(self.network, self.cran.catalog, demand)

    def true_problem(self) -> Problem:
        return without_fill_limits(build_problem(self.network, self.cran.catalog, demand_of_log(self.day_log)))

    def add(self, name: str, problem: Problem, planned: PlannedPlacement | None = None, **how) -> Metrics:
        """Replays the day and keeps a row; ``how`` goes to the replay."""
        pinned = None if planned is None else planned.placement.stored
        topology = self.network.topology
        replayed = replay(problem, topology, self.cran.catalog, self.day_log, pinned=pinned, **how)
        found = summarise(problem, topology, self.day_log, replayed)
        certificate = planned.certificate if planned else None
        self.rows.append(
            {
                "policy": name,
                "offload": found.offload,
                "request hit ratio": found.request_hit_ratio,
                "delivery cost": found.delivery_cost,
                "gap": certificate.gap if certificate else None,
                "plan seconds": certificate.seconds if certificate else None,
            }
        )
        print(f"  {name}: offload {found.offload:.4f}", file=sys.stderr)
        return found


def measure(case: Case) -> PlannedPlacement:
    """All rows of one case; returns the clairvoyant placement, whose bound the table states."""
    problem = case.problem("shrinkage")
    for policy in POLICIES:
        case.add(f"{policy}, cold", problem, policy=policy)
        case.add(f"{policy}, warm", problem, policy=policy, warm_up=case.history)
    for method in ("popularity", "greedy", "lp") if case.quick else ("popularity", "greedy", "lp", "mip"):
        case.add(
            f"pinned {method}, shrinkage",
            problem,
            plan_placement(problem, method, gap=MIP_GAP, time_limit_s=MIP_TIME_LIMIT_S if method == "mip" else None),
        )
    for forecaster in ("last_day", "moving_average", "exponential", "ensemble"):
        other = case.problem(forecaster)
        case.add(f"pinned lp, {forecaster}", other, plan_placement(other, "lp"))
    for share in HYBRID_SHARES:
        planned = plan_placement(problem.replace(storage_bytes=np.floor(problem.storage_bytes * (1 - share))), "lp")
        for policy in ("lru", "lfu"):
            case.add(
                f"hybrid {100 * share:.0f} % {policy}, lp, shrinkage",
                problem,
                planned,
                policy=policy,
                reactive_share=share,
                warm_up=case.history,
            )
    clairvoyant = plan_placement(case.true_problem(), "lp")
    case.add("clairvoyant lp", problem, clairvoyant)
    return clairvoyant


def print_case(case: Case, clairvoyant: PlannedPlacement, seconds: float) -> None:
    """The case's table, best delivery cost first; regret against the clairvoyant placement."""
    best = case.rows[-1]
    bound = clairvoyant.certificate.lower_bound
    print(
        f"\nClairvoyant LP: bound on the delivery cost of any static placement {bound:.3f}, "
        f"placed {clairvoyant.certificate.cost:.3f} "
        f"(gap {100 * (clairvoyant.certificate.gap or 0):.3f} %). {len(case.day_log):,} requests replayed, "
        f"{case.day_log.total_bytes / 1e9:.2f} GB; {seconds:.0f} s in all.\n"
    )
    print(
        "| policy | offload | request hit ratio | delivery cost "
        "| regret, points of offload | regret, cost | gap | plan s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in sorted(case.rows, key=lambda row: row["delivery cost"]):
        gap = "" if row["gap"] is None else f"{100 * row['gap']:.2f} %"
        plan_s = "" if row["plan seconds"] is None else f"{row['plan seconds']:.1f}"
        print(
            f"| {row['policy']} | {100 * row['offload']:.2f} % | {100 * row['request hit ratio']:.2f} % "
            f"| {row['delivery cost']:.3f} | {100 * (best['offload'] - row['offload']):+.2f} "
            f"| {100 * (row['delivery cost'] / best['delivery cost'] - 1):+.1f} % | {gap} | {plan_s} |"
        )
        if row["policy"].startswith(("pinned", "clairvoyant")) and row["delivery cost"] < bound * (1 - 1e-9):
            raise AssertionError(f"{row['policy']} beats the bound of every static placement")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--storage", type=float, nargs="+", default=SHARES, help="cache size as a share of the footprint"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="without mip (which is left out with sweeping clients: it does not end in a useful time)",
    )
    arguments = parser.parse_args()
    cran = read_cran()
    print(
        f"# CRAN mirror, plan from {FIRST} and {LAST}, replay {DAY}\n\n{len(cran.catalog):,} assets, footprint "
        f"{cran.catalog.footprint_bytes / 1e9:.2f} GB; clients with more than {SWEEP_PACKAGES} "
        f"distinct packages in a day sweep: "
        f"{100 * cran.sweeping.mean():.1f} % of the rows."
    )
    for with_sweeps in (False, True):
        for storage in arguments.storage:
            clients = "with" if with_sweeps else "without"
            title = f"{100 * storage:g} % of the footprint per cache, {clients} sweeping clients"
            print(f"\n## {title}", flush=True)
            print(title, file=sys.stderr)
            started = time.perf_counter()
            case = Case(
                cran,
                network_of(cran, storage),
                cran.days(FIRST, LAST, with_sweeps),
                cran.day(DAY, with_sweeps),
                arguments.quick or with_sweeps,
            )
            clairvoyant = measure(case)
            print_case(case, clairvoyant, time.perf_counter() - started)
            sys.stdout.flush()


if __name__ == "__main__":
    main()

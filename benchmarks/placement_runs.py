"""One placer on one instance in this process, so that its memory is its own: prints one JSON object.

    python benchmarks/placement_runs.py INSTANCE METHOD [--gap G] [--threads N] [--time-limit S] [--seed N]
    python benchmarks/placement_runs.py INSTANCE METHOD --warm-start

``peak_mb`` is the most that was ever resident, the instance (``built_mb``) and the judge included. With
``--warm-start`` yesterday's problem is placed first, then today's with yesterday's prices and without, both to the gap
that today's reaches by itself.
"""

import argparse
import json
import re
import time

from placement_family import build_problem
from placement_instances import SHAPES, builders, peak_mb, rss_mb

from cdn.evaluation import evaluate, lower_bound
from cdn.model.problem import Problem
from cdn.placement import PLACERS
from cdn.planning import PlannedPlacement, gap_of, plan_placement

TINY = "500-20-10"
SLACK = 1.02
"""A warm start is stopped at this much above the gap that a cold one ends with."""


def measure(problem: Problem, method: str, **options) -> tuple[PlannedPlacement, dict]:
    """Places, then judges once more, apart, for the seconds it takes."""
    demand = problem.demand
    cpu_started = time.process_time()
    planned = plan_placement(problem, method, **options)
    started, cpu_placed = time.perf_counter(), time.process_time()
    certificate, evaluation = planned.certificate, evaluate(problem, planned.placement)
    bound = None if certificate.prices is None else lower_bound(problem, certificate.prices)
    verify_s, cpu_verified = time.perf_counter() - started, time.process_time()
    # Planning judges as well: what that takes is taken off again.
    cpu_s = max((cpu_placed - cpu_started) - (cpu_verified - cpu_placed), 0.0)
    origin_cost = float(demand.bytes @ problem.origin_cost[demand.region])
    proved = [b for b in (bound, certificate.solver_bound) if b is not None]
    return planned, {
        "entries": len(demand),
        "cost": evaluation.cost,
        "bound": bound,
        "solver_bound": certificate.solver_bound,
        "gap": gap_of(evaluation.cost, max(proved)) if proved else None,
        "saving_gap": saving_gap(evaluation.cost, max(proved), origin_cost) if proved else None,
        "origin_cost": origin_cost,
        "offload": evaluation.offload,
        "violations": len(evaluation.violations),
        "status": certificate.status,
        "reason": certificate.reason,
        "passes": passes_of(certificate.reason),
        "place_s": certificate.seconds,
        "cpu_s": cpu_s,
        "verify_s": verify_s,
    }


def saving_gap(cost: float, bound: float, origin_cost: float) -> float:
    """(cost - bound) / (origin cost - bound): the share of the saving that may have been missed."""
    return max(cost - bound, 0.0) / (origin_cost - bound) if origin_cost > bound else 0.0


def passes_of(reason: str) -> float | None:
    """The number of passes that a placer's reason names."""
    found = re.search(r"(\d+(?:\.\d+)?) pass", reason)
    return float(found[1]) if found else None


def measure_warm_start(name: str, method: str, **options) -> dict:
    """Yesterday, today by itself, today to the same gap with yesterday's prices and without."""
    yesterday, _ = measure(build_problem(SHAPES[name], days_later=-1), method, **options)
    today = build_problem(SHAPES[name])
    _, alone = measure(today, method, **options)
    same_gap = options | {"gap": SLACK * alone["gap"]}
    _, warm = measure(today, method, start_prices=yesterday.certificate.prices, **same_gap)
    _, cold = measure(today, method, **same_gap)
    return {"alone": alone, "warm": warm, "cold": cold}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", choices=builders(), metavar="INSTANCE")
    parser.add_argument("method", choices=PLACERS)
    parser.add_argument("--gap", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--time-limit", type=float, metavar="S")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warm-start", action="store_true")
    parser.add_argument("--kernels-loaded", action="store_true", help=f"place {TINY} first, outside the clock")
    given = parser.parse_args()
    options = {"gap": given.gap, "threads": given.threads, "time_limit_s": given.time_limit, "seed": given.seed}
    if given.warm_start:
        print(json.dumps(measure_warm_start(given.instance, given.method, **options)))
        return
    if given.kernels_loaded:
        plan_placement(builders()[TINY](), given.method, threads=1)
    started = time.perf_counter()
    problem = builders()[given.instance]()
    built = {"build_s": time.perf_counter() - started, "built_mb": rss_mb()}
    _, measured = measure(problem, given.method, **options)
    print(json.dumps(measured | built | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()

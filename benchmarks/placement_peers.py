"""Other solvers on the same linear relaxation: HiGHS through PuLP, HiGHS from arrays, OR-tools PDLP.

    python benchmarks/placement_peers.py INSTANCE SOLVER [--tolerance T] [--threads N] [--time-limit S]

prints one JSON object. The model is that of ``cdn.placement.model`` without egress and link rows, so only instances
without such limits are taken. ``bound`` is what ``cdn.evaluation.lower_bound`` makes of the solver's duals: a solver
that stops early, or inside its tolerance, proves what it proves.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from placement_instances import builders, peak_mb, rss_mb

from cdn.evaluation import lower_bound
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates, find_candidates, limits_may_bind
from cdn.placement.lp import relax

PDLP_PROCESS = Path(__file__).with_name("placement_pdlp.py")


@dataclass(frozen=True, eq=False)
class Relaxation:
    """min objective @ v with rows @ v <= limit and 0 <= v <= upper; v is the y (P,) of the candidate pairs, then the x
    (M,) of the serving triples. Rows: serve_once of the entries ``once``, serve_stored of every triple, storage and
    fill of each cache. Scaled to means of 1, as in ``cdn.placement.model``."""

    candidates: Candidates
    objective: np.ndarray
    rows: sp.csr_array
    limit: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    once: np.ndarray
    cost_unit: float
    size_unit: float


@dataclass(frozen=True, eq=False)
class Solution:
    """How a solver ended: ``objective`` in the relaxation's unit, ``dual`` (rows,) >= 0, its own seconds by the clock
    and of processor time (which a busy machine does not stretch)."""

    status: str
    objective: float
    dual: np.ndarray
    seconds: float
    cpu_seconds: float


def build_relaxation(problem: Problem) -> Relaxation:
    """The relaxation as arrays. Raises ValueError where egress or links could bind."""
    if limits_may_bind(problem):
        raise ValueError("peers solve the relaxation without egress and link rows: take an instance without them")
    c = find_candidates(problem)
    n_pairs, n_triples = len(c.site), len(c.entry)
    n, x = n_pairs + n_triples, n_pairs + np.arange(n_triples)
    cost_unit, size_unit = float(c.saving.mean()), float(problem.size_bytes.mean())
    size = problem.size_bytes[c.asset] / size_unit
    fill_cost = problem.fill_cost_per_byte[c.site] * problem.size_bytes[c.asset] * c.new / cost_unit
    entry, position, count = np.unique(c.entry, return_inverse=True, return_counts=True)
    once = count > 1
    row_of_entry = np.cumsum(once) - 1
    member = once[position]
    triple = np.arange(n_triples)
    families = [
        _rows(row_of_entry[position[member]], x[member], np.ones(member.sum()), int(once.sum()), n),
        _rows(
            np.tile(triple, 2),
            np.concatenate([x, c.entry_pair]),
            np.repeat([1.0, -1.0], n_triples),
            n_triples,
            n,
        ),
        _rows(c.site, np.arange(n_pairs), size, problem.n_caches, n),
        _rows(c.site[c.new], np.flatnonzero(c.new), size[c.new], problem.n_caches, n),
    ]
    limits = [
        np.ones(int(once.sum())),
        np.zeros(n_triples),
        problem.storage_bytes / size_unit,
        problem.usable_fill_bytes / size_unit,
    ]
    return Relaxation(
        candidates=c,
        objective=np.concatenate([fill_cost, -c.saving / cost_unit]),
        rows=sp.csr_array(sp.vstack(families, format="csr")),
        limit=np.concatenate(limits),
        lower=np.concatenate([c.pinned.astype(float), np.zeros(n_triples)]),
        upper=np.ones(n),
        once=entry[once],
        cost_unit=cost_unit,
        size_unit=size_unit,
    )


def _rows(row: np.ndarray, column: np.ndarray, value: np.ndarray, n_rows: int, n_columns: int) -> sp.csr_array:
    return sp.csr_array((value, (row, column)), shape=(n_rows, n_columns))


def prices_of(problem: Problem, relaxation: Relaxation, dual: np.ndarray) -> Prices:
    """The duals as prices; an entry without a serve_once row is credited all that the origin would cost."""
    n_once, n_triples, n_caches = len(relaxation.once), len(relaxation.candidates.entry), problem.n_caches
    per_byte = relaxation.cost_unit / relaxation.size_unit
    storage, fill = dual[n_once + n_triples :].reshape(2, n_caches) * per_byte
    serve = problem.demand.bytes * problem.origin_cost[problem.demand.region]
    serve[relaxation.once] -= dual[:n_once] * relaxation.cost_unit
    hours, links = len(problem.demand.peak_hours()), len(problem.link_capacity_bps)
    return Prices(storage, fill, np.zeros((hours, n_caches)), np.zeros((hours, links)), serve)


def solve_with_highs(relaxation: Relaxation, solver: str, tolerance: float, threads: int, limit_s: float) -> Solution:
    """HiGHS through highspy's arrays. Interior point without crossover: prices need no vertex."""
    import highspy

    highs = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("solver", solver),
        ("run_crossover", "off"),
        ("threads", threads),
        ("time_limit", limit_s),
        ("ipm_optimality_tolerance", tolerance),
    ):
        if highs.setOptionValue(option, value) != highspy.HighsStatus.kOk:
            raise ValueError(f"HiGHS does not know {option} = {value}")
    highs.passModel(_highs_model(highspy, relaxation))
    started, cpu_started = time.perf_counter(), time.process_time()
    highs.run()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    status = highs.modelStatusToString(highs.getModelStatus())
    dual = np.array(highs.getSolution().row_dual)
    if not len(dual):
        dual = np.zeros(len(relaxation.limit))
    return Solution(status, highs.getInfo().objective_function_value, np.clip(-dual, 0, None), seconds, cpu_seconds)


def _highs_model(highspy, relaxation: Relaxation):
    model, rows = highspy.HighsLp(), relaxation.rows
    model.num_row_, model.num_col_ = rows.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = relaxation.objective, relaxation.lower, relaxation.upper
    model.row_lower_, model.row_upper_ = np.full(rows.shape[0], -np.inf), relaxation.limit
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    return model


def solve_with_pdlp(relaxation: Relaxation, tolerance: float, threads: int, limit_s: float) -> Solution:
    """OR-tools PDLP in a process of its own: the HiGHS that OR-tools bundles and highspy's do not load together."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        rows = relaxation.rows
        np.savez(
            given,
            objective=relaxation.objective,
            limit=relaxation.limit,
            lower=relaxation.lower,
            upper=relaxation.upper,
            data=rows.data,
            indices=rows.indices,
            indptr=rows.indptr,
        )
        command = [sys.executable, PDLP_PROCESS, given, found, str(tolerance), str(threads), str(limit_s)]
        subprocess.run([str(word) for word in command], check=True)
        with np.load(found) as result:
            return Solution(
                str(result["status"]),
                float(result["objective"]),
                np.clip(-result["dual"], 0, None),
                float(result["seconds"]),
                float(result["cpu_seconds"]),
            )


def measure_arrays(problem: Problem, solve: Callable[[Relaxation], Solution]) -> dict:
    """Builds the relaxation from arrays, solves it and has the duals judged."""
    started = time.perf_counter()
    relaxation = build_relaxation(problem)
    build_s = time.perf_counter() - started
    solution = solve(relaxation)
    demand = problem.demand
    constant = float(demand.bytes @ problem.origin_cost[demand.region])
    return {
        "status": solution.status,
        "rows": relaxation.rows.shape[0],
        "columns": relaxation.rows.shape[1],
        "build_s": build_s,
        "solve_s": solution.seconds,
        "cpu_s": solution.cpu_seconds,
        "relaxed_cost": constant + solution.objective * relaxation.cost_unit,
        "bound": lower_bound(problem, prices_of(problem, relaxation, solution.dual)),
    }


def measure_pulp(problem: Problem, tolerance: float, threads: int, limit_s: float) -> dict:
    """The relaxation of our own ``lp`` (simplex, one thread), PuLP's building and reading included."""
    started, cpu_started = time.perf_counter(), time.process_time()
    model, _, prices, cost, solved = relax(problem, find_candidates(problem), limit_s)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return {
        "status": solved.reason,
        "rows": len(model.lp.constraints),
        "columns": len(model.x) + len(model.y),
        "build_s": 0.0,
        "solve_s": seconds,
        "cpu_s": cpu_seconds,
        "relaxed_cost": cost,
        "bound": lower_bound(problem, prices),
    }


def measure_highs(solver: str) -> Callable[[Problem, float, int, float], dict]:
    """Measures one of HiGHS's own solvers from arrays."""

    def measure(problem: Problem, tolerance: float, threads: int, limit_s: float) -> dict:
        return measure_arrays(problem, lambda given: solve_with_highs(given, solver, tolerance, threads, limit_s))

    return measure


def measure_pdlp(problem: Problem, tolerance: float, threads: int, limit_s: float) -> dict:
    """Measures PDLP from arrays."""
    return measure_arrays(problem, lambda given: solve_with_pdlp(given, tolerance, threads, limit_s))


SOLVERS: dict[str, Callable[[Problem, float, int, float], dict]] = {
    "pulp-highs": measure_pulp,
    "highs-simplex": measure_highs("simplex"),
    "highs-ipx": measure_highs("ipm"),
    "pdlp": measure_pdlp,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", choices=builders())
    parser.add_argument("solver", choices=SOLVERS)
    parser.add_argument("--tolerance", type=float, default=1e-8, help="relative, of interior point and PDLP")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=300.0, metavar="S")
    given = parser.parse_args()
    problem = builders()[given.instance]()
    built_mb = rss_mb()
    measured = SOLVERS[given.solver](problem, given.tolerance, given.threads, given.time_limit)
    # PDLP runs in a child.
    child_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    print(json.dumps(measured | {"built_mb": built_mb, "peak_mb": max(peak_mb(), child_mb)}))


if __name__ == "__main__":
    main()

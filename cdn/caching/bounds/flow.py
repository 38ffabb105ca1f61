"""The linear program of FOO as a minimum-cost flow, solved by HiGHS.

Bytes flow through time. Arc ``f[i]`` carries ``size[i] x[i]`` from interval i's first request to its second, arc
``held[t]`` the bytes of a gap. Differences of neighbouring gap constraints leave three or four nonzeros per request,
where the constraints themselves have one per gap an interval lies over:

    max   sum_i (value[i] / size[i]) f[i]
    flow  held[t] - held[t-1] = sum_{i starts at t} f[i] - sum_{i ends at t} f[i]     for each request t
          0 <= f[i] <= size[i],  0 <= held[t] <= room[t]

Requests at which nothing starts or ends are left out: the gaps between two others share one arc.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from cdn.errors import SolverError

DEVEX = 1
# HiGHS's presolve finds nothing in a network, and devex prices pivots at half the time of steepest edge.
SETTINGS: dict[str, bool | int | str] = {"output_flag": False, "threads": 1, "solver": "simplex", "presolve": "off",
                                           "simplex_dual_edge_weight_strategy": DEVEX}


@dataclass(frozen=True, eq=False)
class FlowProblem:
    """K intervals over T requests: ``start`` < ``end`` (K,) in 0..T-1, ``size_bytes`` (K,) > 0, ``value`` (K,) float;
    ``room_bytes`` (T-1,) of the gaps."""

    start: np.ndarray
    end: np.ndarray
    size_bytes: np.ndarray
    value: np.ndarray
    room_bytes: np.ndarray


@dataclass(frozen=True, eq=False)
class Flow:
    """``kept`` (K,): the share x of each interval; ``price`` (T-1,) >= 0: per byte of each gap."""

    kept: np.ndarray
    price: np.ndarray


def solve_flow(problem: FlowProblem) -> Flow:
    """The optimum. The prices come from a floating-point solver: judge them by ``price_bound``. Raises SolverError."""
    price = np.zeros(len(problem.room_bytes))
    if not len(problem.start):
        return Flow(np.empty(0), price)
    is_used = np.zeros(len(price) + 1, dtype=bool)
    is_used[problem.start] = is_used[problem.end] = True
    used, number = np.flatnonzero(is_used), np.cumsum(is_used) - 1
    room_bytes = np.minimum.reduceat(problem.room_bytes[:used[-1]], used[:-1])
    unit = float(np.median(problem.size_bytes))
    solver = highspy.Highs()
    for name, setting in SETTINGS.items():
        solver.setOptionValue(name, setting)
    solver.passModel(_program(problem, number[problem.start], number[problem.end], room_bytes, unit))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolverError(f"HiGHS ended with {solver.modelStatusToString(solver.getModelStatus())}")
    solution, n = solver.getSolution(), len(problem.start)
    price[used[:-1]] = np.maximum(-np.array(solution.col_dual[n:]), 0.0) / unit
    return Flow(np.array(solution.col_value[:n]) * unit / problem.size_bytes, price)


def _program(problem: FlowProblem, start: np.ndarray, end: np.ndarray, room_bytes: np.ndarray,
             unit: float) -> highspy.HighsLp:
    """Columns: the intervals, then the gaps; rows: the requests; bytes in multiples of ``unit``."""
    n, n_gaps = len(start), len(room_bytes)
    gap = np.arange(n_gaps)
    rows = np.concatenate([np.column_stack([start, end]), np.column_stack([gap, gap + 1])]).ravel()
    signs = np.concatenate([np.tile([-1.0, 1.0], n), np.tile([1.0, -1.0], n_gaps)])
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n + n_gaps, n_gaps + 1
    program.col_cost_ = np.concatenate([-problem.value * unit / problem.size_bytes, np.zeros(n_gaps)])
    program.col_lower_ = np.zeros(n + n_gaps)
    program.col_upper_ = np.concatenate([problem.size_bytes, room_bytes]) / unit
    program.row_lower_ = program.row_upper_ = np.zeros(program.num_row_)
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_, matrix.index_, matrix.value_ = np.arange(n + n_gaps + 1) * 2, rows.astype(np.int32), signs
    return program

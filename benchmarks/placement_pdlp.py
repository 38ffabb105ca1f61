"""PDLP on a linear programme in a file: GIVEN.npz FOUND.npz TOLERANCE THREADS SECONDS. Imports no other solver."""

import sys
import time

import numpy as np
import scipy.sparse as sp
from ortools.pdlp import solve_log_pb2, solvers_pb2
from ortools.pdlp.python import pdlp


def main(given: str, found: str, tolerance: str, threads: str, limit_s: str) -> None:
    with np.load(given) as arrays:
        program = pdlp.QuadraticProgram()
        shape = len(arrays["limit"]), len(arrays["objective"])
        rows = sp.csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        program.objective_vector = arrays["objective"]
        program.constraint_matrix = rows.tocsc()
        program.constraint_lower_bounds = np.full(shape[0], -np.inf)
        program.constraint_upper_bounds = arrays["limit"]
        program.variable_lower_bounds, program.variable_upper_bounds = arrays["lower"], arrays["upper"]
    parameters = solvers_pb2.PrimalDualHybridGradientParams()
    criteria = parameters.termination_criteria
    criteria.simple_optimality_criteria.eps_optimal_absolute = float(tolerance)
    criteria.simple_optimality_criteria.eps_optimal_relative = float(tolerance)
    criteria.time_sec_limit = float(limit_s)
    parameters.num_threads = int(threads)
    started, cpu_started = time.perf_counter(), time.process_time()
    result = pdlp.primal_dual_hybrid_gradient(program, parameters)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    reason = solve_log_pb2.TerminationReason.Name(result.solve_log.termination_reason)
    status = reason.removeprefix("TERMINATION_REASON_").lower().replace("_", " ")
    objective = float(program.objective_vector @ result.primal_solution)
    dual = result.dual_solution
    np.savez(found, status=status, objective=objective, dual=dual, seconds=seconds, cpu_seconds=cpu_seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])

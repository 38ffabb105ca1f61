"""What each demand entry is credited: the part of the certificate that makes a block's bound a plain sum.

The blocks of a pass are reduced before they are relaxed, so the credits of a pass do not prove anything for whole blocks.
Here every whole block is relaxed once more, from dual ascent or where the pass left its credits.
"""

import numpy as np
from numba import njit

from cdn.placement.decomposition.facility import CLOSED
from cdn.placement.decomposition.passes import BlockSolver, gather, in_threads
from cdn.placement.decomposition.relaxation import dual_ascent, relax, relaxed_value

ITERATIONS = 60


@njit(cache=True, nogil=True)
def _credit_range(begin, end, data, prices, work, iterations, credit, serve_credit):
    for asset in range(begin, end):
        n_entries, n_sites = gather(asset, data, prices, work)
        if n_sites == 0:
            continue
        for j in range(n_sites):
            work.best[j] = CLOSED
        # Warm credits are meant for reduced blocks; they serve where they prove more than dual ascent.
        args = (n_entries, n_sites, work.first, work.term_site, work.term, work.price)
        warm = True
        for i in range(n_entries):
            work.credit[i] = credit[work.entry[i]]
            warm = warm and work.credit[i] >= 0
        started = relaxed_value(*args, work.status, work.credit, work.rho) if warm else np.inf
        for i in range(n_entries):
            work.root_credit[i] = work.credit[i]
        dual_ascent(*args, work.slack, work.credit)
        if started < relaxed_value(*args, work.status, work.credit, work.rho):
            for i in range(n_entries):
                work.credit[i] = work.root_credit[i]
        relax(*args, work.status, 0.0, work.best, iterations, 1e-6, False, work)
        for i in range(n_entries):
            serve_credit[work.entry[i]] = work.credit[i]


def serve_prices(solver: BlockSolver, price: np.ndarray, delivery_cost_from_origin: np.ndarray) -> np.ndarray:
    """(N,) cost credited to each entry at prices (rows,): what the origin would cost, less the entry's credit."""
    prices = solver.prices_of(price)
    credit = np.zeros(len(solver.credit))

    def run(bounds: tuple[int, int]) -> None:
        _credit_range(*bounds, solver.blocks, prices, solver.make_work(), ITERATIONS, solver.credit, credit)

    in_threads(run, list(solver.ranges()), solver.threads)
    return delivery_cost_from_origin - credit

"""Days drawn from a demand with quantiles, and the problem of placing once for all of them.

    min   sum_s f[s] size z + 1/N sum_n sum d_n (c x_n + c[o] o_n)      storage, fill, rules of y as ever
    serve_once, serve_stored, egress, link of x_n                       for each day n on its own

is the placement problem again, with a copy of every region and of every peak hour for each day: region r of day n asks
for d_n / N bytes at the rates of d_n, in day n's hours only. So any placer solves it, limits on rates included.
"""

import numpy as np
import scipy.sparse as sp

from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.problem import Problem

_SPREAD = 2 * 1.2815515655446004
"""From the 10 % to the 90 % quantile of a normal variable, in standard deviations."""


def draw_bytes(demand: Demand, n_days: int, rng: np.random.Generator) -> np.ndarray:
    """(n_days, N) bytes of each entry on days drawn one independent of the other: negative binomial counts (a Poisson
    count of a gamma rate) whose mean is the entry's requests and whose sd is what its quantiles tell, times its bytes
    per request. Where the quantiles are no further apart than a Poisson count's, it is one."""
    assert demand.bytes_p10 is not None and demand.bytes_p90 is not None
    mean = demand.requests
    per_request = np.divide(demand.bytes, mean, out=np.zeros_like(mean), where=mean > 0)
    wanted = per_request * mean > 0
    sd = np.zeros_like(mean)
    sd[wanted] = (demand.bytes_p90 - demand.bytes_p10)[wanted] / _SPREAD / per_request[wanted]
    phi = np.divide(sd**2 - mean, mean**2, out=np.zeros_like(mean), where=wanted)
    phi = np.maximum(phi, 1e-6)
    rate = rng.gamma(1 / phi, phi, (n_days, len(mean))) * mean
    return rng.poisson(rate) * per_request


def scenario_problem(problem: Problem, n_days: int, rng: np.random.Generator) -> Problem:
    """The problem with ``n_days`` copies of its R regions and H peak hours; region r of day n is region n R + r."""
    demand, n_regions = problem.demand, len(problem.region_index)
    drawn = draw_bytes(demand, n_days, rng)
    day, entry = np.nonzero(drawn)
    region, asset = day * n_regions + demand.region[entry], demand.asset[entry]
    bytes_ = drawn[day, entry]
    share = bytes_ / demand.bytes[entry]
    index = Index(f"{id_} of day {n + 1}" for n in range(n_days) for id_ in problem.region_index)
    hours = demand.hour_factor[demand.peak_hours()]
    sampled = Demand.from_entries(index, demand.asset_index, region, asset, demand.requests[entry] * share / n_days,
                                  bytes_ / n_days, demand.peak_bps[entry] * share, _blocks(hours, n_days))
    order = np.argsort(asset.astype(np.int64) * len(index) + region, kind="stable")
    copies = np.tile(np.arange(n_regions), n_days)
    n_sites = problem.n_caches + 1
    rows = (np.arange(n_sites)[:, None] * n_regions + copies).ravel()
    return problem.replace(
        region_index=index, demand=sampled, cost_per_byte=problem.cost_per_byte[:, copies],
        servable=problem.servable[entry][order], path_links=sp.csr_array(problem.path_links)[rows])


def _blocks(factor: np.ndarray, n: int) -> np.ndarray:
    """(n H, n R) with the factor (H, R) in every diagonal block and nothing beside."""
    return np.kron(np.eye(n), factor)

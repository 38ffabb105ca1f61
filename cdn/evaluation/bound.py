"""A lower bound on the cost of every placement, proved by prices (the certificate's arithmetic).

Relax storage, fill, egress and link limits with prices lambda, phi, mu, nu >= 0. What is left falls apart per asset a:

    min  sum_r (sum_s g[s,r] x[s,r] + k[r] o[r]) + sum_s F[s] y[s]     s.t.  sum_s x + o = 1,  0 <= x <= y <= 1
    g[s,r] = bytes c[s,r] + sum_h p[h,r] (mu[h,s] + sum over l on the path of nu[h,l]),     k[r] = bytes c[o,r]
    F[s]   = size lambda[s] + (size (f[s] + phi[s]) where the asset is not stored now)

For any v[r] <= k[r] (else v is cut down to it) weak duality gives the asset's part as

    sum_r v[r]  -  sum_s max(0, sum_r max(0, v[r] - g[s,r]) - F[s])

(pinned pairs without the outer max, pairs that can never be stored left out)
and the bound is the sum over assets minus what the limits are worth at these prices. Any prices prove a bound;
the LP's duals prove the LP's value. See Applegate et al. (CoNEXT 2010), Geoffrion (1974).

An asset with a tree of cases (``Branching``; Land and Doig, 1960) has prices v of its own for its leaves. A leaf says
of some sites that they store the asset, which count without the outer max as pins do, and of others that they do not,
which are left out. Every placement that stores whole assets is in exactly one leaf, so the asset's part is at least the
least of the leaves' bounds; a leaf no placement is in (a pin not stored, a pair stored that can never be) is left out.

Where an asset's demand falls into groups, its part may be taken apart further: each group's demand with copies of its
own, each cache's F dealt out over the groups (Lagrangian decomposition: Guignard and Kim, Mathematical Programming
1987). Shares of F that come to 1 or less leave no placement dearer than it is, so the groups' bounds add up to one of
the asset; each group is bounded as an asset is, case by case where it has a tree.

The number returned is a lower bound in exact arithmetic of the float64 inputs, not only up to rounding: all roundings
are made up for by bounds on what they can take away (``blocks``), here of the prices of a bit/s and of the last sums.
That costs some n 1e-16 of the terms' sizes, with n the most entries of an asset. Costs are never negative, so a bound
of 0 always holds; bounds below ``UNDERFLOW``, where float64 can lose more than that, are given as 0.
"""

import math

import numpy as np
import scipy.sparse as sp

from cdn.evaluation.blocks import UNIT_ROUNDOFF, asset_bounds
from cdn.evaluation.cases import Cases
from cdn.evaluation.terms import Terms
from cdn.model.arrays import csr_indptr
from cdn.model.branching import Branching
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.model.shares import Shares

UNDERFLOW = 1e-290


def lower_bound(problem: Problem, prices: Prices) -> float:
    """The bound these prices prove on the cost of any placement that keeps all limits and rules, fractional ones only
    where there is no branching. In the cost's unit; -inf where the terms are beyond float64.

    Negative prices count as 0, and limits without a bound as unpriced. Raises ValueError where the prices do not fit
    the problem.
    """
    _check_shapes(problem, prices)
    limits = {
        "storage": problem.storage_bytes,
        "fill": problem.usable_fill_bytes,
        "egress": problem.egress_bps,
        "link": problem.link_capacity_bps,
    }
    priced = {name: np.where(np.isfinite(limit), getattr(prices, name), 0.0).clip(0) for name, limit in limits.items()}
    terms = _terms(problem, **priced)
    blocks = asset_bounds(terms, prices.serve, _cases(prices.branching, problem))
    worth = [(priced[name] * np.where(np.isfinite(limit), limit, 0.0)).ravel() for name, limit in limits.items()]
    # A product is off by u, and fsum by u more of the whole.
    values = np.concatenate([blocks, *(-(1 + 4 * UNIT_ROUNDOFF) * part for part in worth)])
    if not np.isfinite(values).all():
        return -math.inf
    try:
        bound = math.fsum(values)
    except OverflowError:
        return -math.inf
    bound -= 4 * UNIT_ROUNDOFF * abs(bound)
    return max(bound - UNDERFLOW, 0.0) if bound > 0 else bound


def _check_shapes(problem: Problem, prices: Prices) -> None:
    hours, n_caches = len(problem.demand.peak_hours()), problem.n_caches
    expected = {
        "storage": (n_caches,),
        "fill": (n_caches,),
        "egress": (hours, n_caches),
        "link": (hours, len(problem.link_capacity_bps)),
        "serve": (len(problem.demand),),
    }
    for name, shape in expected.items():
        if getattr(prices, name).shape != shape:
            raise ValueError(f"{name} prices have shape {getattr(prices, name).shape}, expected {shape}")


def _cases(branching: Branching | None, problem: Problem) -> Cases:
    nothing = np.zeros(0, dtype=np.int32)
    if branching is None:
        branching = Branching(nothing, np.zeros(1), nothing, nothing)
    shares = branching.shares
    if shares is None:
        shares = Shares(*[nothing] * 5)
    if (shares.asset >= len(problem.asset_index)).any() or (shares.site >= problem.n_caches).any():
        raise ValueError("branching has shares of an asset or cache that is not there")
    starts = branching.serve_starts(problem.demand.indptr, problem.n_caches)
    return Cases(
        asset=branching.asset,
        group=np.asarray(branching.group),
        indptr=branching.indptr,
        site=branching.site,
        serve=branching.serve,
        serve_start=starts[:-1].copy(),
        entry_group=shares.entry_group,
        n_groups=shares.n_groups,
        share_asset=shares.asset,
        share_site=shares.site,
        share_group=shares.group,
        share=shares.share,
    )


def _terms(problem: Problem, storage, fill, egress, link) -> Terms:
    demand = problem.demand
    server_indptr, server, server_region = _servers(problem)
    return Terms(
        indptr=demand.indptr,
        region=demand.region,
        bytes=demand.bytes,
        peak_bps=demand.peak_bps,
        servable=problem.servable,
        size_bytes=problem.size_bytes,
        origin_cost=_lowered(problem.origin_cost),
        server_indptr=server_indptr,
        server=server,
        server_cost=_lowered(problem.cost_per_byte[server, server_region]),
        server_rate_price=_rate_price(problem, egress, link)[server, server_region],
        storage_bytes=problem.storage_bytes,
        usable_fill_bytes=problem.usable_fill_bytes,
        storage_price=storage,
        fill_price=problem.fill_cost_per_byte + fill,
        stored_indptr=problem.stored.indptr,
        stored_site=problem.stored.site,
        pinned_indptr=problem.pinned.indptr,
        pinned_site=problem.pinned.site,
        excluded_indptr=problem.excluded.indptr,
        excluded_site=problem.excluded.site,
    )


def _lowered(values: np.ndarray, operations: int = 1) -> np.ndarray:
    """Nonnegative values that came of so many operations, made less than exact ones would be, even times another."""
    return values * (1 - (2 * operations + 8) * UNIT_ROUNDOFF)


def _servers(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each region the caches that serve it at less than the origin's cost, cheapest first: row pointers (R + 1,),
    and per pair cache and region."""
    region, server = np.nonzero((problem.cost_per_byte[:-1] < problem.origin_cost).T)
    order = np.lexsort((problem.cost_per_byte[server, region], region))
    return csr_indptr(region, len(problem.region_index)), server[order].astype(np.int32), region[order]


def _rate_price(problem: Problem, egress: np.ndarray, link: np.ndarray) -> np.ndarray:
    """(S, R) price of one bit/s of peak demand of a region served by a cache, lowered below its exact value."""
    demand = problem.demand
    factor = demand.hour_factor[demand.peak_hours()]
    price = np.einsum("hs,hr->sr", egress, factor)
    longest = 0
    if link.size:
        n_regions = len(problem.region_index)
        paths = sp.csr_array(problem.path_links[: problem.n_caches * n_regions])
        longest = int(np.diff(paths.indptr).max(initial=0))
        for h, hour_factor in enumerate(factor):
            price = price + (paths @ link[h]).reshape(problem.n_caches, n_regions) * hour_factor
    return _lowered(price, operations=(len(factor) + 1) * (longest + 4))

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
"""

import numpy as np
import scipy.sparse as sp

from cdn.model.placement import Prices
from cdn.model.problem import Problem


def lower_bound(problem: Problem, prices: Prices) -> float:
    """The bound these prices prove; negative prices count as 0, and limits without a bound as unpriced."""
    storage, fill = np.clip(prices.storage, 0, None), np.clip(prices.fill, 0, None)
    egress, link = np.clip(prices.egress, 0, None), np.clip(prices.link, 0, None)
    storage = np.where(np.isfinite(problem.storage_bytes), storage, 0.0)
    fill = np.where(np.isfinite(problem.usable_fill_bytes), fill, 0.0)
    egress = np.where(np.isfinite(problem.egress_bps), egress, 0.0)
    link = np.where(np.isfinite(problem.link_capacity_bps), link, 0.0)
    worth = (
        storage @ _finite(problem.storage_bytes)
        + fill @ _finite(problem.usable_fill_bytes)
        + (egress @ _finite(problem.egress_bps)).sum()
        + (link @ _finite(problem.link_capacity_bps)).sum()
    )
    serve = np.minimum(prices.serve, problem.demand.bytes * problem.origin_cost[problem.demand.region])
    return float(serve.sum()) - _cache_gain(problem, storage, fill, egress, link, serve) - float(worth)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, 0.0)


def _cache_gain(problem: Problem, storage, fill, egress, link, serve) -> float:
    """sum over (s, a) of max(0, sum_r max(0, v - g) - F), one site at a time."""
    demand, n_assets = problem.demand, len(problem.asset_index)
    asset, region = demand.asset, demand.region
    rate_price = _rate_price(problem, egress, link)
    total = 0.0
    for s in range(problem.n_caches):
        cost = problem.cost_per_byte[s, region]
        with np.errstate(invalid="ignore"):
            gain = serve - demand.bytes * cost - demand.peak_bps * rate_price[s, region]
        gain = np.where(problem.servable & np.isfinite(cost), np.clip(gain, 0, None), 0.0)
        fill_price = np.full(n_assets, problem.fill_cost_per_byte[s] + fill[s])
        fill_price[problem.stored.assets_of(s)] = 0.0
        net = np.bincount(asset, weights=gain, minlength=n_assets) - problem.size_bytes * (storage[s] + fill_price)
        chosen = np.clip(net, 0, None)
        pins = problem.pinned.assets_of(s)
        chosen[pins] = net[pins]
        total += float(chosen[problem.storable(s)].sum())
    return total


def _rate_price(problem: Problem, egress: np.ndarray, link: np.ndarray) -> np.ndarray:
    """(S, R) price of one bit/s of peak demand of a region served by a cache."""
    demand = problem.demand
    factor = demand.hour_factor[demand.peak_hours()]
    price = np.einsum("hs,hr->sr", egress, factor)
    if link.size:
        n_regions = len(problem.region_index)
        paths = sp.csr_array(problem.path_links[: problem.n_caches * n_regions])
        for h, hour_factor in enumerate(factor):
            price = price + (paths @ link[h]).reshape(problem.n_caches, n_regions) * hour_factor
    return price

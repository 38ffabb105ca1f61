"""A few kinds of audience: which regions ask together, from which titles they ask for.

    n_ra ~ Poisson(Y_a sum_k theta_ak phi_kr),   theta_a ~ Dirichlet(prior theta_mean + 1)

theta_a: how title a's requests divide over K audiences, phi_k: how audience k's divide over the regions. Fitted by
expectation-maximisation, which are the multiplicative updates of a non-negative factorisation under the
Kullback-Leibler divergence (D. Lee, H. Seung, Learning the parts of objects by non-negative matrix factorization,
Nature 401, 1999; E. Gaussier, C. Goutte, Relation between PLSA and NMF, SIGIR 2005), from a few starts at random on
the most requested titles.
"""

import numpy as np

from cdn.compilation import kernel

_FITTED_TITLES = 20_000
_ROUNDS = 40
_ROUNDS_OF_OTHERS = 15
_STARTS = 3


def factorise(count: np.ndarray, n_factors: int, prior_requests: float,
              rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """theta (A, K) and phi (K, R), rows adding up to 1, from counts (A, R); the likeliest of several starts."""
    if n_factors == 1:
        # One audience divides over the regions as all requests do.
        of_region = count.sum(axis=0) + 1e-9
        return np.ones((len(count), 1)), of_region[None] / of_region.sum()
    by_size = np.argsort(-count.sum(axis=1), kind="stable")[:_FITTED_TITLES]
    fitted = count[by_size]
    of_region = count.sum(axis=0) + 1e-9
    best, found = -np.inf, (np.ones((len(fitted), 1)), of_region[None] / of_region.sum())
    for _ in range(_STARTS):
        phi = of_region * rng.gamma(2.0, 0.5, (n_factors, count.shape[1]))
        phi /= phi.sum(axis=1, keepdims=True)
        theta = np.full((len(fitted), n_factors), 1 / n_factors)
        likelihood = _maximise(fitted, theta, phi, prior_requests, _ROUNDS, True)
        if likelihood > best:
            best, found = likelihood, (theta, phi)
    theta, phi = found
    everyone = np.average(theta, axis=0, weights=fitted.sum(axis=1) + 1e-12)
    all_theta = np.tile(everyone, (len(count), 1))
    _maximise(count, all_theta, phi, prior_requests, _ROUNDS_OF_OTHERS, False)
    return all_theta, phi


@kernel
def _maximise(count, theta, phi, prior_requests, rounds, move_phi):
    """EM in place; returns the log likelihood of the last round. phi stays where it is unless it is to move."""
    n_assets, n_regions = count.shape
    n_factors = len(phi)
    likelihood = 0.0
    of_title, mixed = np.empty(n_factors), np.empty(n_factors)
    everyone = np.empty(n_factors)
    for k in range(n_factors):
        everyone[k] = theta[:, k].mean()
    for _ in range(rounds):
        likelihood = 0.0
        moved = np.full((n_factors, n_regions), 1e-9)
        of_all = np.zeros(n_factors)
        for a in range(n_assets):
            of_title[:] = prior_requests * everyone
            for r in range(n_regions):
                n = count[a, r]
                if n > 0:
                    total = 0.0
                    for k in range(n_factors):
                        mixed[k] = theta[a, k] * phi[k, r]
                        total += mixed[k]
                    likelihood += n * np.log(max(total, 1e-300))
                    for k in range(n_factors):
                        part = n * mixed[k] / max(total, 1e-300)
                        of_title[k] += part
                        of_all[k] += part
                        moved[k, r] += part
            whole = of_title.sum()
            if whole > 0:
                theta[a] = of_title / whole
        if move_phi:
            everyone[:] = of_all / max(of_all.sum(), 1e-300)
            for k in range(n_factors):
                phi[k] = moved[k] / moved[k].sum()
    return likelihood

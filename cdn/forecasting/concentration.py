"""How alike the regions are, from the data: the concentration of a Dirichlet prior, by maximum marginal likelihood.

Region r's N_r requests fall on the titles with shares p_r, and p_r ~ Dirichlet(k q), where q are the shares over all
regions. With p_r integrated out the counts are Dirichlet-multinomial:

    log L(k) = sum_r [ lnG(k) - lnG(k + N_r) + sum_a lnG(n_ra + k q_a) - lnG(k q_a) ] + const,   lnG = log gamma.

Large k: every region asks for the same; small k: every region for its own. It is what a gamma-Poisson model gives with
the regions' totals held fixed. T. Minka, Estimating a Dirichlet distribution (2000); G. Casella, An introduction to
empirical Bayes data analysis (Am. Stat. 39, 1985).
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

K_MIN, K_MAX = 1e-2, 1e7
_LOG_TOLERANCE = 5e-3


def concentration(region: np.ndarray, count: np.ndarray, share: np.ndarray, total: np.ndarray) -> float:
    """The k in [``K_MIN``, ``K_MAX``] that makes the counts likeliest.

    ``region``, ``count`` and ``share`` (N,): n_ra > 0 and q_a of each entry; ``total`` (R,): N_r. A single region, or
    regions that all ask for the same, give about K_MAX.
    """
    titles, copies = np.unique(share, return_counts=True)
    count, share, times = _grouped(count, share)

    def cost(log_k: float) -> float:
        k = np.exp(log_k)
        of_regions = (gammaln(k) - gammaln(k + total)).sum()
        of_entries = (times * gammaln(count + k * share)).sum() - (copies * gammaln(k * titles)).sum()
        return -(of_regions + of_entries)

    found = minimize_scalar(cost, bounds=(np.log(K_MIN), np.log(K_MAX)), method="bounded",
                            options={"xatol": _LOG_TOLERANCE})
    return float(np.exp(found.x))


def concentrations(region: np.ndarray, count: np.ndarray, share: np.ndarray, total: np.ndarray) -> np.ndarray:
    """(R,) the k of every region on its own, K_MAX where it has no requests; arguments as in ``concentration``."""
    order = np.argsort(region, kind="stable")
    starts = np.searchsorted(region[order], np.arange(len(total) + 1))
    k = np.full(len(total), K_MAX)
    for r in np.flatnonzero(np.diff(starts)):
        rows = order[starts[r]:starts[r + 1]]
        # A second region without requests adds nothing to the likelihood.
        k[r] = concentration(region[rows], count[rows], share[rows], np.array([total[r], 0.0]))
    return k


def _grouped(count: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (count, share) pairs and how often each stands there: most titles are asked for once or twice. Days that
    weigh differently leave hardly two counts alike, and then looking for them is not worth it."""
    if not (count == np.floor(count)).all():
        return count, share, np.ones(len(count))
    pairs, times = np.unique(count + 1j * share, return_counts=True)
    return pairs.real, pairs.imag, times

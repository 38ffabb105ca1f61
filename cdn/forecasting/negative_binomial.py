"""Negative binomial counts by mean m and dispersion phi: variance m + phi m^2, a Poisson count whose rate is gamma.

    P(0) = (1 + phi m)^(-1/phi),   P(k + 1) = P(k) (k + 1/phi) / (k + 1) * phi m / (1 + phi m)

J. Greenwood, G. Yule, An inquiry into the nature of frequency distributions (1920). phi = 0 is Poisson.
"""

import math

import numpy as np
from scipy.special import betainc, gammaincinv, pdtr

from cdn.compilation import kernel

_SUMMED_UP_TO = 200.0
_POISSON_BELOW = 1e-9


def quantiles(mean: np.ndarray, dispersion: np.ndarray, share: float) -> np.ndarray:
    """(N,) the smallest k with P(count <= k) >= ``share``, as float; 0 where the mean is 0.

    Exact up to a mean of 200; above, that of the gamma variable of the same mean and variance, rounded: there the
    steps of a count matter less than a part in a thousand of the interval.
    """
    mean, dispersion = (np.asarray(values, dtype=np.float64) for values in (mean, dispersion))
    result = _summed_quantiles(mean, dispersion, share)
    large = np.flatnonzero(mean > _SUMMED_UP_TO)
    if len(large):
        m = mean[large]
        shape = m / (1 + dispersion[large] * m)
        result[large] = np.floor(gammaincinv(shape, share) * m / shape + 0.5)
    return result


def cumulative(count: np.ndarray, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """(N,) P(a count <= ``count``); 0 below 0. Arrays of N; a mean of 0 is a count that is always 0."""
    count, mean, dispersion = (np.asarray(values, dtype=np.float64) for values in (count, mean, dispersion))
    known = (count >= 0) & (mean > 0)
    result = np.where(count >= 0, 1.0, 0.0)
    poisson = known & (dispersion * np.maximum(mean, 1.0) < _POISSON_BELOW)
    result[poisson] = pdtr(count[poisson], mean[poisson])
    of = known & ~poisson
    result[of] = betainc(1 / dispersion[of], count[of] + 1, 1 / (1 + dispersion[of] * mean[of]))
    return result


@kernel
def _summed_quantiles(mean, dispersion, share):
    result = np.zeros(len(mean))
    for i in range(len(mean)):
        m, phi = mean[i], dispersion[i]
        if m <= 0 or m > _SUMMED_UP_TO:
            continue
        poisson = phi * max(m, 1.0) < _POISSON_BELOW
        p = math.exp(-m) if poisson else math.exp(-math.log1p(phi * m) / phi)
        odds = m if poisson else m / (1 + phi * m)
        below, k = p, 0
        # Beyond 1 - 1e-12 rounding may keep the sum from ever getting there.
        while below < share and k < 10_000_000:
            p *= odds * (1.0 if poisson else 1 + phi * k) / (k + 1)
            k += 1
            below += p
        result[i] = k
    return result


@kernel
def log_likelihoods(count, mean, shapes):
    """(S,) log likelihood of counts (N,) (whole or not) of means (N,) > 0 at each shape 1/phi of ``shapes`` (S,),
    without what no shape changes."""
    result = np.zeros(len(shapes))
    for s in range(len(shapes)):
        shape = shapes[s]
        constant = shape * math.log(shape) - math.lgamma(shape)
        total = 0.0
        for i in range(len(count)):
            n = count[i]
            total += constant - (n + shape) * math.log(mean[i] + shape)
            total += math.lgamma(n + shape) if n > 0 else math.lgamma(shape)
        result[s] = total
    return result

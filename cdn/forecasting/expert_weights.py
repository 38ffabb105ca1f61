"""How much experts count in each group of pairs: multiplicative weights by what each lost there lately.

Every expert fills caches with its forecast of a past day; what it then decides otherwise than the day's own placement
loses the distance of the (cache, asset) from the cache's marginal price (``marginal_prices``). So each decision has its
loss, and a group's, L_gm, add up to the expert's whole regret L_m, a share of the day's bytes. A group's weights follow
its own losses so far as it has any to speak of, and everyone's otherwise,

    L'_gm = (L_gm + k L_m) / (s_g + k),   s_g = min_m L_gm / min_m L_m   (the group's share of the regret)
    w_gm ~ exp(-eta (L'_gm - min L'_g) / (min L'_g + c)),

with k = 2: a group that makes all of the regret trusts its own losses by a third, one that makes a tenth of it by a
twentieth; c = a hundredth of a point: what is less decides nothing. Y. Freund, R. Schapire, A decision-theoretic
generalization of on-line learning (1997); N. Cesa-Bianchi, G. Lugosi, Prediction, learning, and games (2006).
"""

import numpy as np

from cdn.forecasting.marginal_prices import Ladder, decide

LEANING = 2.0
_SMALL_LOSS = 1e-4
_BLOCK_PAIRS = 500_000


def expert_weights(losses: np.ndarray, learning_rate: float) -> np.ndarray:
    """(M, G) weights that add up to 1 in each group, from the regrets L (D, M, G) of the judged days as shares of each
    day's bytes; without a day all alike."""
    by_group = losses.sum(axis=0) / max(len(losses), 1)
    whole = by_group.sum(axis=1, keepdims=True)
    least = whole.min()
    share = by_group.min(axis=0) / least if least > 0 else np.zeros(by_group.shape[1])
    leant = (by_group + LEANING * whole) / (share + LEANING)
    weight = np.exp(-learning_rate * (leant - leant.min(axis=0)) / (leant.min(axis=0) + _SMALL_LOSS))
    return weight / weight.sum(axis=0)


def mixture(weights: np.ndarray, group: np.ndarray, requests: np.ndarray) -> np.ndarray:
    """(N,) the experts' ``requests`` (M, N), each pair by the weights (M, G) of its ``group`` (N,)."""
    mean = np.empty(len(group))
    for start in range(0, len(group), _BLOCK_PAIRS):
        rows = slice(start, start + _BLOCK_PAIRS)
        mean[rows] = (weights[:, group[rows]] * requests[:, rows]).sum(axis=0)
    return mean


def group_losses(ladder: Ladder, region: np.ndarray, asset: np.ndarray, true_bytes: np.ndarray, bytes_: np.ndarray,
                 group: np.ndarray, n_groups: int) -> np.ndarray:
    """(M, G) what each forecast's decisions lose, by the pairs' ``group`` (N,), as shares of the day's bytes.

    ``ladder``: of one cache per region; ``true_bytes`` (N,), ``bytes_`` (M, N) of distinct pairs ``region``, ``asset``
    (N,). Forecasts fill the caches by their own lights and are held against the prices of the true day.
    """
    best, foreseen = decide(ladder, region, asset, true_bytes[None, :]), decide(ladder, region, asset, bytes_)
    lost = np.abs(true_bytes - best.price[0][region] * ladder.size_bytes[asset])
    whole = float(true_bytes.sum())
    wrong = (foreseen.held[0] != best.held[0])[:, best.pair[0]]
    found = np.array([np.bincount(group, lost * row, n_groups) for row in wrong])
    return found / whole if whole > 0 else 0 * found

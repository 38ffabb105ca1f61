"""One forecast that agrees with itself: pairs that add up to what regions and titles are expected to ask for.

Iterative proportional fitting (W. Deming, F. Stephan, On a least squares adjustment of a sampled frequency table, Ann.
Math. Stat. 11, 1940). Regions come last, so countries' and the world's requests are exactly the sums of their regions'.
"""

import numpy as np

from cdn.compilation import kernel

_ROUNDS = 3


def fitted_to_margins(pairs: np.ndarray, of_title: np.ndarray, of_region: np.ndarray) -> np.ndarray:
    """(A, R) ``pairs`` scaled row by row and column by column, changed in place: columns add up to ``of_region`` (R,)
    where they have anything, rows nearly to ``of_title`` (A,) scaled to the same total."""
    total = of_title.sum()
    target = of_title * (of_region.sum() / total if total > 0 else 0.0)
    _fit(pairs, target, of_region, _ROUNDS)
    return pairs


@kernel
def _fit(pairs, of_title, of_region, rounds):
    n_assets, n_regions = pairs.shape
    for _ in range(rounds):
        column = np.zeros(n_regions)
        for a in range(n_assets):
            row = 0.0
            for r in range(n_regions):
                row += pairs[a, r]
            scale = of_title[a] / row if row > 0 else 0.0
            for r in range(n_regions):
                pairs[a, r] *= scale
                column[r] += pairs[a, r]
        for r in range(n_regions):
            column[r] = of_region[r] / column[r] if column[r] > 0 else 0.0
        for a in range(n_assets):
            for r in range(n_regions):
                pairs[a, r] *= column[r]

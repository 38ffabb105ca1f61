"""What a title's level would have been foreseen to bring, day by day, from what was known some days before."""

from cdn.compilation import kernel


@kernel
def foresee(mean, requests, volume, observed, first, factor, foreseen, prior_mean, prior_shape, delta, horizon,
            first_tuned):
    """Writes into ``mean`` (D,) what is expected of one title on the observed days from ``first_tuned`` on, each from
    the counts ``requests`` (D,) of ``horizon`` days before and earlier, forgotten by ``delta`` a day; 0 elsewhere.

    ``volume`` (D,) and ``observed`` (D,) of all titles; ``first``: the title's first day; ``factor`` (D,) by which it
    was above its level, ``foreseen`` (D + 1,) what was expected of that."""
    mean[:] = 0.0
    counted = exposed = 0.0
    for d in range(first + horizon, len(mean)):
        known = d - horizon
        counted *= delta
        exposed *= delta
        if observed[known]:
            counted += requests[known]
            exposed += volume[known] * factor[known]
        if observed[d] and d >= first_tuned:
            mean[d] = volume[d] * foreseen[d] * (prior_shape + counted) / (prior_shape / prior_mean + exposed)

"""The demand of a day in expectation: what the requests drawn for it are on average, without drawing them."""

from datetime import date

import numpy as np

from cdn.generator.parameters import GeneratorParameters
from cdn.generator.regions import Regions
from cdn.generator.samples import Sample, draw_sample
from cdn.model.demand import Demand
from cdn.units import BITS_PER_BYTE, SECONDS_PER_DAY


def expected_demand(parameters: GeneratorParameters, rng: np.random.Generator, regions: Regions | None = None,
                    day: date | None = None) -> Demand:
    """Expected demand of one day of the sample these parameters give; of the last day unless told otherwise.

    ``demand_of_sample`` does the same where the sample is there already (its catalog has the sizes).
    """
    return demand_of_sample(draw_sample(parameters, rng, regions), day)


def demand_of_sample(sample: Sample, day: date | None = None) -> Demand:
    """Expected requests, bytes and peak rate of a sample's day (by default the last), asset-major.

    Leaves out entries below ``least_requests`` a day. Memory: 28 bytes per entry kept, and as much again while it is
    built; one region's assets at a time beside that. Raises ValueError for a day outside the sample.
    """
    parameters = sample.parameters
    number = parameters.days - 1 if day is None else (day - parameters.start_day).days
    if not 0 <= number < parameters.days:
        raise ValueError(f"{day} is not a day of the sample")
    rows = _entries_per_region(sample, number)
    factor = sample.hour_factors(number)
    per_asset = np.zeros(len(sample.catalog), dtype=np.int64)
    for asset, _ in rows:
        per_asset[asset] += 1
    indptr = np.concatenate([[0], np.cumsum(per_asset)])
    region, requests = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    following = indptr[:-1].copy()
    # Regions in ascending order, so that within an asset they stand in order too.
    for r, (asset, expected) in enumerate(rows):
        region[following[asset]], requests[following[asset]] = r, expected
        following[asset] += 1
        rows[r] = (asset[:0], expected[:0])
    bytes_ = np.repeat(sample.mean_bytes(), per_asset) * requests
    peak_over_day = factor.max(axis=0) / factor.mean(axis=0)
    peak_bps = bytes_ * (peak_over_day * BITS_PER_BYTE / SECONDS_PER_DAY)[region]
    for values in (indptr, region, requests, bytes_, peak_bps):
        # Ours alone: locked as they stand, where the demand would copy what others could write.
        values.flags.writeable = False
    return Demand(sample.regions.index, sample.catalog.asset_index, indptr, region, requests, bytes_, peak_bps,
                  factor / factor.max(axis=0))


def _entries_per_region(sample: Sample, day: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per region: the assets (int32, ascending) with enough expected requests, and those requests."""
    least = max(sample.parameters.least_requests, np.finfo(float).tiny)
    title_weight = sample.popularity.title_weight(day)
    of_region = sample.requests_per_hour(day).sum(axis=0)
    rows = []
    for r, requests in enumerate(of_region):
        expected = requests * sample.popularity.shares(r, title_weight)
        asset = np.flatnonzero(expected >= least).astype(np.int32)
        rows.append((asset, expected[asset]))
    return rows

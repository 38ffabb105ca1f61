"""The true demand of a log that is known: what a clairvoyant placement is made with."""

import numpy as np

from cdn.model.demand import Demand
from cdn.model.request_log import RequestLog
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, SECONDS_PER_HOUR


def demand_of_log(log: RequestLog) -> Demand:
    """Requests and bytes of each (region, asset) of the whole log, and the bit rate of its hours of the day.

    ``hour_factor`` (24, R): a region's bytes in each UTC hour over those in its busiest (1 in every hour where it asked
    for nothing). ``peak_bps``: the entry's share of its region's busiest hour, a mean over the log's days, so that
    peak_bps * hour_factor summed over entries is the region's rate in every hour.
    """
    n_regions = len(log.region_index)
    bytes_by_hour = np.bincount(log.hour * n_regions + log.region, weights=log.bytes,
                                minlength=HOURS_PER_DAY * n_regions).reshape(HOURS_PER_DAY, n_regions)
    busiest, total = bytes_by_hour.max(axis=0), bytes_by_hour.sum(axis=0)
    n_days = max(len(np.unique(log.day)), 1)
    busiest_share = np.divide(busiest, total, out=np.zeros(n_regions), where=total > 0)
    return Demand.from_entries(
        log.region_index,
        log.asset_index,
        log.region,
        log.asset,
        np.ones(len(log)),
        log.bytes,
        log.bytes * busiest_share[log.region] * BITS_PER_BYTE / (SECONDS_PER_HOUR * n_days),
        np.divide(bytes_by_hour, busiest, out=np.ones(bytes_by_hour.shape), where=busiest > 0),
    )

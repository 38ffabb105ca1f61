"""PFOO-L: the best bound that one price for all gaps proves, i.e. the fractional knapsack of interval resources.

Interval i uses ``size[i] * length[i]`` byte-gaps of the ``sum_t room[t]`` there are; fill up by value per byte-gap
(Berger, Beckmann, Harchol-Balter, SIGMETRICS 2018, section 5). With value 1 that is ascending size x length; with
value = size it is ascending *length*: the order must follow the objective, or the result bounds nothing.

The paper has capacity x N byte-gaps. Here gaps in which fewer bytes than that are asked for again count only those,
which is tighter while the cache fills and at the trace's end.
"""

import numpy as np

from cdn.caching.bounds.certificates import price_bound
from cdn.caching.bounds.intervals import REQUESTS, Intervals
from cdn.compilation import kernel

DIGIT_BITS = 16


def bound_by_knapsack(intervals: Intervals) -> int:
    """PFOO-L in whole requests or bytes. O(N): the last interval to fit is found by radix selection, not by sorting."""
    return price_bound(intervals, one_price(intervals) * np.arange(intervals.n_requests))


def one_price(intervals: Intervals) -> float:
    """The price per byte and gap at which as much is asked for as there is room; 0 where there is room for all."""
    last = _last_to_fit(intervals.start, intervals.end, intervals.size_bytes, intervals.objective == REQUESTS,
                        float(intervals.room_bytes.sum(dtype=np.float64)))
    return 1.0 / last if last > 0 else 0.0


@kernel
def _last_to_fit(start, end, size_bytes, by_requests, room):
    """The byte-gaps per unit of value of the interval at which the room runs out; 0 where it does not.

    The bits of a float that is not negative, read as an integer, order as it does. Each pass fixes 16 of them.
    """
    key = np.empty(1, dtype=np.float64)
    bits = key.view(np.int64)
    prefix, fixed_bits, used = np.int64(0), 0, 0.0
    while fixed_bits < 64:
        shift = 64 - fixed_bits - DIGIT_BITS
        of_digit = np.zeros(1 << DIGIT_BITS)
        for i in range(len(start)):
            length = float(end[i] - start[i])
            resource = length * size_bytes[i]
            key[0] = resource if by_requests else length
            if fixed_bits == 0 or bits[0] >> (64 - fixed_bits) == prefix:
                of_digit[(bits[0] >> shift) & ((1 << DIGIT_BITS) - 1)] += resource
        digit = 0
        while digit < len(of_digit) and used + of_digit[digit] <= room:
            used += of_digit[digit]
            digit += 1
        if digit == len(of_digit):
            return 0.0
        prefix = (prefix << DIGIT_BITS) | digit
        fixed_bits += DIGIT_BITS
    bits[0] = prefix
    return key[0]

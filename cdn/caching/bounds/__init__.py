"""Offline bounds: what no policy can exceed on a stream of requests, and a plan that shows how near it can be come."""

from cdn.caching.bounds.hits import BOUNDS, FEASIBLE, bound_hits, stream_intervals
from cdn.caching.bounds.intervals import BYTES, OBJECTIVES, REQUESTS, Intervals

__all__ = ["BOUNDS", "BYTES", "FEASIBLE", "OBJECTIVES", "REQUESTS", "Intervals", "bound_hits", "stream_intervals"]

"""Eviction policies as compiled kernels over dense ids: one cache, one stream of requests, hit or miss of each."""

from cdn.caching.policies import POLICIES, simulate_cache

__all__ = ["POLICIES", "simulate_cache"]

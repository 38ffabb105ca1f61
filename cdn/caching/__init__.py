"""Eviction and admission policies as compiled steps over dense ids: one cache, one stream of requests."""

from cdn.caching.policies import (
    ADMISSIONS,
    POLICIES,
    REACTIVE_POLICIES,
    choose_admission,
    choose_policy,
    open_cache,
    simulate_cache,
)

__all__ = ["ADMISSIONS", "POLICIES", "REACTIVE_POLICIES", "choose_admission", "choose_policy", "open_cache",
           "simulate_cache"]

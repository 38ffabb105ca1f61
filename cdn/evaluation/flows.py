"""What flows from which site to which region: one pass over the demand, summed per (site, region)."""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.evaluation.routing import add_cheapest_flows
from cdn.model.placement import Placement, Routing
from cdn.model.problem import Problem


@dataclass(frozen=True, eq=False)
class Flows:
    """``bytes``, ``requests`` and ``peak_bps`` (S + 1, R), the origin last. ``served_share`` (N,) what caches serve of
    each entry, where a routing says so; None where every entry comes whole from one site."""

    bytes: np.ndarray
    requests: np.ndarray
    peak_bps: np.ndarray
    served_share: np.ndarray | None


def flows_of(problem: Problem, placement: Placement) -> Flows:
    """The flows of a placement's routing; without one, each entry comes from its cheapest site that stores it."""
    shape = (problem.n_caches + 1, len(problem.region_index))
    tables = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    if placement.routing is None:
        add_cheapest_flows(problem, placement.stored, tables)
        return Flows(*tables, None)
    return Flows(*tables, _add_routed_flows(problem, placement.routing, tables))


def _add_routed_flows(problem: Problem, routing: Routing, tables) -> np.ndarray:
    demand = problem.demand
    asked = (demand.bytes, demand.requests, demand.peak_bps)
    served_share = np.zeros(len(demand))
    _sum_routed(demand.region, asked, routing.entry, routing.site, routing.share, tables, served_share)
    return served_share


@kernel
def _sum_routed(region, asked, entry, site, share, tables, served_share):
    asked_bytes, requests, peak_bps = asked
    byte_flow, request_flow, peak_flow = tables
    origin = len(byte_flow) - 1
    for k in range(len(entry)):
        e, s = entry[k], site[k]
        r = region[e]
        served_share[e] += share[k]
        byte_flow[s, r] += asked_bytes[e] * share[k]
        request_flow[s, r] += requests[e] * share[k]
        peak_flow[s, r] += peak_bps[e] * share[k]
    for e in range(len(region)):
        left = 1.0 - served_share[e]
        if left > 0:
            byte_flow[origin, region[e]] += asked_bytes[e] * left
            request_flow[origin, region[e]] += requests[e] * left
            peak_flow[origin, region[e]] += peak_bps[e] * left

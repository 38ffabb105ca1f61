"""What a forecast is worth: placed with it, which bytes of the true day are served by caches, and what do all cost?

Caches start the day empty and are filled at once and for nothing, for every forecast alike and for the clairvoyant
placement, which is made with the true day. Regret = offload of that - offload of the forecast's placement; of cost, the
forecast's delivery cost - that of the clairvoyant placement.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdn.evaluation.routing import cheapest_routing
from cdn.forecasting.marginal_prices import NO_CACHE, Ladder
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import Problem, build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology
from cdn.planning import plan_placement, without_fill_limits
from cdn.simulation.paths import NO_SITE, reactive_paths
from cdn.simulation.replaying import replay


@dataclass(frozen=True, eq=False)
class Setting:
    """Where plans are made and replayed: network, catalog and one of ``PLACERS`` (or ``auto``). ``egress_limits``:
    whether a cache refuses what exceeds its hour's egress; each day's log is then replayed request by request.
    ``seed``: of what robust rules draw."""

    network: Network
    catalog: Catalog
    method: str = "greedy"
    egress_limits: bool = False
    seed: int = 0

    def problem(self, demand: Demand, day: pd.Timestamp) -> Problem:
        """The day's placement problem with this demand, nothing stored and no limit on what is filled."""
        return without_fill_limits(build_problem(self.network, self.catalog, demand, None, day))

    def place(self, demand: Demand, day: pd.Timestamp, robust: str | None = None) -> SiteAssets:
        """What each cache stores when it is planned with ``demand``, or for more than that by a rule of ``ROBUST``."""
        problem = self.problem(demand, day)
        return plan_placement(problem, self.method, robust=robust, seed=self.seed).placement.stored


@dataclass(frozen=True, eq=False)
class Delivery:
    """Of each entry of a day's demand (N,): ``served_bytes``, those that caches serve, and what delivering all of its
    bytes costs."""

    served_bytes: np.ndarray
    cost: np.ndarray


def ladder_of(problem: Problem, topology: Topology) -> Ladder:
    """The caches that requests climb in a problem; its demand is not looked at."""
    site = reactive_paths(problem, topology)
    region = np.arange(site.shape[1])
    saving = np.where(site == NO_SITE, 0.0, problem.origin_cost - problem.cost_per_byte[site, region])
    return Ladder(np.where(site == NO_SITE, NO_CACHE, site), saving, problem.origin_cost, problem.storage_bytes,
                  problem.size_bytes)


def server_of_entries(problem: Problem, stored: SiteAssets) -> np.ndarray:
    """(N,) who serves each entry of the problem's demand: the cheapest cache that stores the asset, else the origin,
    ``n_caches``.

    That is also what a replay of the day's log gives, request by request: a placement does not change during the day.
    """
    routing = cheapest_routing(problem, stored)
    server = np.full(len(problem.demand), problem.n_caches, dtype=np.int32)
    server[routing.entry] = routing.site
    return server


def served_by_caches(problem: Problem, stored: SiteAssets) -> np.ndarray:
    """(N,) bool: entries of the problem's demand that a cache serves."""
    return server_of_entries(problem, stored) < problem.n_caches


def delivered(problem: Problem, stored: SiteAssets) -> Delivery:
    """The problem's demand, each entry by whom it is cheapest from."""
    demand = problem.demand
    return _delivery(problem, np.arange(len(demand)), server_of_entries(problem, stored), demand.bytes)


def delivered_within_limits(setting: Setting, problem: Problem, stored: SiteAssets, log: RequestLog,
                            entry: np.ndarray) -> Delivery:
    """The same of a day's log, ``entry`` (requests,) of the problem's demand each: caches refuse what exceeds their
    hour's egress."""
    found = replay(problem, setting.network.topology, setting.catalog, log, pinned=stored, egress_limits=True)
    return _delivery(problem, entry, found.served_by, log.bytes)


def _delivery(problem: Problem, entry: np.ndarray, server: np.ndarray, bytes_: np.ndarray) -> Delivery:
    """``bytes_`` (M,) of entries that ``server`` (M,) serves, added up."""
    cost = bytes_ * problem.cost_per_byte[server, problem.demand.region[entry]]
    n = len(problem.demand)
    return Delivery(np.bincount(entry, bytes_ * (server < problem.n_caches), n), np.bincount(entry, cost, n))


def served_by_policy(setting: Setting, log: RequestLog, policy: str = "lru") -> np.ndarray:
    """(N,) bool: requests of the log served by reactive caches that run through all of it, cold at its start."""
    nothing = Demand.from_entries(log.region_index, log.asset_index, [], [], [], [])
    problem = build_problem(setting.network, setting.catalog, nothing)
    found = replay(problem, setting.network.topology, setting.catalog, log, policy=policy,
                   egress_limits=setting.egress_limits)
    return found.served_by < problem.n_caches

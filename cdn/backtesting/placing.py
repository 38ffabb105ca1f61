"""What a forecast is worth: placed with it, which bytes of the true day are served by caches?

Caches start the day empty and are filled at once and for nothing, for every forecast alike and for the clairvoyant
placement, which is made with the true day. Regret = offload of that - offload of the forecast's placement.
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


def ladder_of(problem: Problem, topology: Topology) -> Ladder:
    """The caches that requests climb in a problem; its demand is not looked at."""
    site = reactive_paths(problem, topology)
    region = np.arange(site.shape[1])
    saving = np.where(site == NO_SITE, 0.0, problem.origin_cost - problem.cost_per_byte[site, region])
    return Ladder(np.where(site == NO_SITE, NO_CACHE, site), saving, problem.origin_cost, problem.storage_bytes,
                  problem.size_bytes)


def served_by_caches(problem: Problem, stored: SiteAssets) -> np.ndarray:
    """(N,) bool: entries of the problem's demand that a cache serves, the cheapest that stores the asset.

    That is also what a replay of the day's log gives, request by request: a placement does not change during the day.
    """
    served = np.zeros(len(problem.demand), dtype=bool)
    served[cheapest_routing(problem, stored).entry] = True
    return served


def served_within_limits(setting: Setting, problem: Problem, stored: SiteAssets, log: RequestLog) -> np.ndarray:
    """(requests,) bool: requests of a day's log served by caches that refuse what exceeds their hour's egress."""
    found = replay(problem, setting.network.topology, setting.catalog, log, pinned=stored, egress_limits=True)
    return found.served_by < problem.n_caches


def served_by_policy(setting: Setting, log: RequestLog, policy: str = "lru") -> np.ndarray:
    """(N,) bool: requests of the log served by reactive caches that run through all of it, cold at its start."""
    nothing = Demand.from_entries(log.region_index, log.asset_index, [], [], [], [])
    problem = build_problem(setting.network, setting.catalog, nothing)
    found = replay(problem, setting.network.topology, setting.catalog, log, policy=policy,
                   egress_limits=setting.egress_limits)
    return found.served_by < problem.n_caches

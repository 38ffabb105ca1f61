"""The night's replay: the plan, what people do today, and knowing the future, on a log that was not planned from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cdn.files.plan_folders import PlanInputs
from cdn.model.problem import Problem, build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.nightly.configuration import ConfigRecord
from cdn.planning import PlannedPlacement, plan_placement, without_fill_limits
from cdn.simulation.metrics import Metrics, summarise
from cdn.simulation.strategies import CLAIRVOYANT, HYBRID, PINNED, simulate_all
from cdn.simulation.true_demand import demand_of_log

POPULARITY = "popularity"


@dataclass(frozen=True, eq=False)
class NightReplay:
    """Metrics by strategy; ``plan``: the strategy that is tonight's plan. ``clairvoyant``: as placed, for its bound."""

    plan: str
    metrics: dict[str, Metrics]
    clairvoyant: PlannedPlacement | None

    @property
    def offload_regret(self) -> float | None:
        """Offload lost against placing with the day's true demand."""
        if self.clairvoyant is None:
            return None
        return self.metrics[CLAIRVOYANT].offload - self.metrics[self.plan].offload

    @property
    def cost_regret(self) -> float | None:
        """Delivery cost above the clairvoyant placement's, relative to it."""
        if self.clairvoyant is None:
            return None
        best = self.metrics[CLAIRVOYANT].delivery_cost
        return (self.metrics[self.plan].delivery_cost - best) / best if best else 0.0


def plan_strategy(config: ConfigRecord) -> str:
    """Which strategy tonight's plan is."""
    return HYBRID if config.placement.reactive_share > 0 else PINNED


def replay_night(
    config: ConfigRecord,
    inputs: PlanInputs,
    stored_after: SiteAssets,
    history: RequestLog,
    day_log: RequestLog,
    on_progress: Callable[[str], None],
) -> NightReplay:
    """Replays the day's log with what is stored after the fill, and with every baseline the configuration asks for."""
    whole = inputs.build_whole_problem()
    options: dict[str, Any] = {"gap": config.placement.gap, "time_limit_s": config.placement.time_limit_s}
    plan = plan_strategy(config)
    placements = {plan: stored_after}
    strategies = [plan]
    if PINNED in config.replay.baselines and plan != PINNED:
        on_progress("placing without a reactive share")
        unshared = whole.replace(fill_cost_per_byte=whole.fill_cost_per_byte / inputs.fill_days)
        placements[PINNED] = plan_placement(unshared, config.placement.method, **options).placement.stored
        strategies.append(PINNED)
    if POPULARITY in config.replay.baselines:
        placements[POPULARITY] = plan_placement(whole, POPULARITY).placement.stored
        strategies.append(POPULARITY)
    strategies += config.replay.policies
    clairvoyant = None
    if config.replay.clairvoyant:
        on_progress("placing with the day's true demand")
        clairvoyant = plan_placement(clairvoyant_problem(inputs, day_log), config.placement.method, **options)
        placements[CLAIRVOYANT] = clairvoyant.placement.stored
        strategies.append(CLAIRVOYANT)
    on_progress(f"replaying {len(day_log)} requests")
    topology = inputs.network.topology
    replays = simulate_all(
        whole,
        topology,
        inputs.catalog,
        day_log,
        strategies,
        placements,
        reactive_share=config.placement.reactive_share,
        hybrid_policy=config.placement.reactive_policy,
        warm_up=history,
    )
    metrics = {name: summarise(whole, topology, day_log, replay) for name, replay in replays.items()}
    return NightReplay(plan, metrics, clairvoyant)


def clairvoyant_problem(inputs: PlanInputs, day_log: RequestLog) -> Problem:
    """The problem with the day's true demand, all of the storage, and no fill limits or fill costs.

    No placement that is planned the night before can deliver cheaper than its optimum."""
    problem = build_problem(inputs.network, inputs.catalog, demand_of_log(day_log), inputs.stored_now, inputs.day)
    return without_fill_limits(problem)


def region_requests(log: RequestLog) -> tuple[np.ndarray, np.ndarray]:
    """(R,) requests and (R,) bytes of each region."""
    n = len(log.region_index)
    return np.bincount(log.region, minlength=n), np.bincount(log.region, weights=log.bytes, minlength=n)

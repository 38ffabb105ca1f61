"""The fill plan of one night: difference, schedule and sources, put together as steps in order."""

import numpy as np
import pandas as pd

from cdn.filling.differences import LEAVES, Additions, Difference, find_difference
from cdn.filling.results import EXCLUDED, Deferred, FillResult
from cdn.filling.schedules import NEVER, Appliances, Schedule, schedule_night
from cdn.filling.sources import Copies, choose_sources
from cdn.filling.windows import fill_windows
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import FillPlan, StoredNow
from cdn.model.network import Network
from cdn.model.placement import Placement
from cdn.model.problem import Problem
from cdn.model.topology import Topology


def plan_fill(problem: Problem, network: Network, catalog: Catalog, stored_now: StoredNow, placement: Placement,
              night: pd.Timestamp) -> FillResult:
    """The steps that turn what the appliances hold into what their sites shall store, in the night that prepares the
    UTC day ``night`` (see ``cdn.filling.windows``).

    Removals come before the additions they make room for, storage is never exceeded, and every source holds its file.
    The same inputs give the same plan. Savings come from the problem's demand; without demand small assets go first.
    Raises ValueError where the placement is fractional or the inputs do not belong together.
    """
    _check(problem, network.topology, catalog, stored_now, placement)
    appliances = _appliances(network.topology, night)
    difference = find_difference(problem, stored_now, placement.stored, appliances.site, appliances.storage_bytes)
    schedule = schedule_night(appliances, stored_now, difference, problem.size_bytes)
    plan = _plan(appliances, stored_now, difference, schedule, network.transfer_cost_per_byte, len(catalog))
    remains = schedule.leave_us == NEVER
    kept = remains & (difference.fate == LEAVES)
    return FillResult(
        plan=plan,
        deferred=_deferred(difference, schedule, problem.size_bytes),
        kept=_in_order(stored_now.appliance[kept], stored_now.asset[kept]),
        stored_after=_in_order(np.append(stored_now.appliance[remains], plan.appliance[plan.add]),
                               np.append(stored_now.asset[remains], plan.asset[plan.add])),
        opening_us=appliances.opening_us,
        closing_us=appliances.closing_us,
    )


def _check(problem: Problem, topology: Topology, catalog: Catalog, stored_now: StoredNow, placement: Placement) -> None:
    if (placement.levels < 1).any():
        raise ValueError("a fill plan needs a placement of whole assets, not a fractional one")
    if problem.site_index != topology.site_index or problem.asset_index != catalog.asset_index:
        raise ValueError("the problem belongs to another topology or catalog")
    if placement.stored.n_assets != len(catalog) or (placement.stored.site >= topology.n_caches).any():
        raise ValueError("the placement belongs to another topology or catalog")
    for name, values, limit in (("appliance", stored_now.appliance, len(topology.appliances)),
                                ("asset", stored_now.asset, len(catalog))):
        if len(values) and (values.min() < 0 or values.max() >= limit):
            raise ValueError(f"what is stored now names an unknown {name}")


def _appliances(topology: Topology, night: pd.Timestamp) -> Appliances:
    opening_us, closing_us = fill_windows(topology, night)
    return Appliances(
        n_caches=topology.n_caches,
        site=topology.appliance_sites,
        storage_bytes=np.array([a.storage_bytes for a in topology.appliances], dtype=np.int64),
        fill_bps=tuple(float(a.fill_bps) for a in topology.appliances),
        opening_us=opening_us,
        closing_us=closing_us,
    )


def _plan(appliances: Appliances, stored_now: StoredNow, difference: Difference, schedule: Schedule,
          cost_per_byte: np.ndarray, n_assets: int) -> FillPlan:
    """Removals and additions in one order: by start, then appliance, then their turn on it."""
    additions = difference.additions
    gone, done = np.flatnonzero(schedule.leave_us < NEVER), np.flatnonzero(schedule.appliance >= 0)
    n_gone = len(gone)
    start = np.append(schedule.leave_us[gone], schedule.start_us[done])
    end = np.append(schedule.leave_us[gone], schedule.end_us[done])
    appliance = np.append(stored_now.appliance[gone], schedule.appliance[done])
    asset = np.append(stored_now.asset[gone], additions.asset[done])
    turn = np.append(schedule.leave_turn[gone], schedule.turn[done])
    rank = np.append(difference.keep_rank[gone], np.zeros(len(done), dtype=np.int64))
    order = np.lexsort((asset, rank, turn, appliance, start))
    step = np.empty(len(order), dtype=np.int64)
    step[order] = np.arange(len(order))
    copies = _copies(appliances, stored_now, additions, schedule, gone, done, step)
    source = np.full(len(order), -1, dtype=np.int32)
    source[n_gone:] = choose_sources(step[n_gone:], asset[n_gone:], appliances.site[appliance[n_gone:]], start[n_gone:],
                                     end[n_gone:], copies, cost_per_byte, n_assets)
    return FillPlan(start[order], end[order], appliance[order], order >= n_gone, asset[order], source[order])


def _copies(appliances: Appliances, stored_now: StoredNow, additions: Additions, schedule: Schedule, gone: np.ndarray,
            done: np.ndarray, step: np.ndarray) -> Copies:
    """What is stored now, until it leaves, and what is added, from when it has arrived."""
    until_step = np.full(len(stored_now), NEVER, dtype=np.int64)
    until_step[gone] = step[:len(gone)]
    held, added = len(stored_now), len(done)
    return Copies(
        site=np.append(appliances.site[stored_now.appliance], additions.site[done]),
        asset=np.append(stored_now.asset, additions.asset[done]),
        from_step=np.append(np.full(held, -1), step[len(gone):]),
        from_us=np.append(np.full(held, -NEVER), schedule.end_us[done]),
        until_step=np.append(until_step, np.full(added, NEVER)),
        until_us=np.append(schedule.leave_us, np.full(added, NEVER)),
    )


def _deferred(difference: Difference, schedule: Schedule, size_bytes: np.ndarray) -> Deferred:
    late, barred = schedule.appliance < 0, difference.barred
    site = np.append(difference.additions.site[late], barred.site)
    asset = np.append(difference.additions.asset[late], barred.asset)
    saving = np.append(difference.additions.saving[late], barred.saving)
    reason = np.append(schedule.reason[late], np.full(len(barred.asset), EXCLUDED))
    order = np.lexsort((site, asset, size_bytes[asset], -saving / size_bytes[asset]))
    return Deferred(site[order], asset[order], reason[order], saving[order])


def _in_order(appliance: np.ndarray, asset: np.ndarray) -> StoredNow:
    order = np.lexsort((asset, appliance))
    return StoredNow(appliance[order], asset[order])

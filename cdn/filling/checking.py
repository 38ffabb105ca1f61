"""The check of a fill plan: believes nothing that it has not worked out itself from the inputs.

The steps are replayed (``cdn.filling.replays``); then every source is compared with the cheapest site that held the
file all the time, and what is there in the end with the placement. Shares no code with the planner.
"""

import numpy as np
import pandas as pd

from cdn.filling.replays import LAST, PlanFault, Replay, needed_us
from cdn.filling.wall_clock import likely_night
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import FillPlan, StoredNow
from cdn.model.network import Network
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology

__all__ = ["PlanFault", "check_fill_plan"]
_ADDITIONS_AT_ONCE = 50_000


def check_fill_plan(topology: Topology, catalog: Catalog, stored_now: StoredNow, placement: SiteAssets, plan: FillPlan,
                    night: pd.Timestamp | None = None, stored_after: StoredNow | None = None,
                    not_fitting: SiteAssets | None = None) -> list[PlanFault]:
    """Every fault of the plan for the night that prepares the UTC day ``night``, in step order; none if it is sound.
    Without ``night`` it is the one whose fill windows most steps lie in.

    ``stored_after``: what the plan is said to end with; with it every altered row is a fault. Without it a step that
    was merely left out is one only where the night had room and time for it. ``not_fitting``: pairs of the placement
    that are said not to fit; exactly those must be missing in the end.
    """
    misfit = _foreign(topology, catalog, plan)
    if misfit:
        return misfit
    day = likely_night(topology, plan) if night is None else pd.Timestamp(night)
    replay = Replay(topology, catalog, stored_now, placement, plan, day)
    replay.run()
    faults = replay.faults + list(_source_faults(replay, Network(topology)))
    faults += _Ending(replay, stored_now, placement).faults(stored_after, not_fitting)
    return sorted(faults, key=lambda fault: (LAST if fault.step is None else fault.step, fault.rule, fault.where))


def _foreign(topology: Topology, catalog: Catalog, plan: FillPlan) -> list[PlanFault]:
    """Steps that name what neither topology nor catalog has."""
    known = (plan.appliance >= 0) & (plan.appliance < len(topology.appliances))
    known &= (plan.asset >= 0) & (plan.asset < len(catalog))
    known &= (plan.source >= np.where(plan.add, 0, -1)) & (plan.source < len(topology.sites))
    return [PlanFault(int(k) + 1, "there", f"appliance {plan.appliance[k]}, asset {plan.asset[k]}",
                      f"source {plan.source[k]}", "positions that topology and catalog have")
            for k in np.flatnonzero(~known)]


def _source_faults(replay: Replay, network: Network):
    """Compares each addition's source with the cheapest holder; of equals the first listed, the origin last."""
    plan, topology = replay.plan, replay.topology
    step = np.flatnonzero(plan.add)
    step = step[np.argsort(plan.asset[step], kind="stable")]
    copies = pd.DataFrame(np.array(replay.copies, dtype=np.int64).reshape(-1, 6),
                          columns=["asset", "holder", "from_us", "from_step", "until_us", "until_step"])
    copies = copies.sort_values("asset", kind="stable")
    for k in range(0, len(step), _ADDITIONS_AT_ONCE):
        part = step[k:k + _ADDITIONS_AT_ONCE]
        additions = pd.DataFrame({
            "asset": plan.asset[part], "step": part, "target": topology.appliance_sites[plan.appliance[part]],
            "start": plan.start_us[part], "end": plan.end_us[part], "source": plan.source[part]})
        first, last = np.searchsorted(copies["asset"], [plan.asset[part[0]], plan.asset[part[-1]] + 1])
        holds, wrong = _dearer_sources(additions, copies[first:last], network.transfer_cost_per_byte)
        for row in wrong.itertuples():
            where = f"{topology.appliances[plan.appliance[row.step]].id}/{replay.catalog.asset_index.id_of(row.asset)}"
            doubt = "" if row.step in holds else ", which does not hold it all the time"
            yield PlanFault(row.step + 1, "source", where, f"copied from {topology.sites[row.source].id!r}{doubt}",
                            f"{topology.sites[row.holder].id!r}, the cheapest that does")


def _dearer_sources(additions: pd.DataFrame, copies: pd.DataFrame, cost: np.ndarray) -> tuple[set[int], pd.DataFrame]:
    """Steps whose source holds the file all the time, and the additions whose source is not the best ``holder``."""
    origin = len(cost) - 1
    both = additions.merge(copies, on="asset")
    both = both[(both["from_us"] <= both["start"]) & (both["from_step"] < both["step"])
                & (both["until_us"] >= both["end"]) & (both["until_step"] > both["step"])]
    both = pd.concat([both[[*additions.columns, "holder"]], additions.assign(holder=origin)], ignore_index=True)
    both["cost"] = cost[both["holder"], both["target"]]
    reachable = both[np.isfinite(both["cost"]) | (both["holder"] == origin)]
    best = reachable.sort_values(["step", "cost", "holder"], kind="stable").drop_duplicates("step")
    return set(both.loc[both["holder"] == both["source"], "step"]), best[best["holder"] != best["source"]]


class _Ending:
    """What is there when the plan is done, against what should be."""

    def __init__(self, replay: Replay, stored_now: StoredNow, placement: SiteAssets):
        self.replay, self.n_assets = replay, len(replay.catalog)
        untouched = ~np.isin(stored_now.asset, replay.plan.asset)
        held = np.array(list(replay.held), dtype=np.int64).reshape(-1, 2).T
        self.appliance = np.append(stored_now.appliance[untouched], held[0]).astype(np.int64)
        self.asset = np.append(stored_now.asset[untouched], held[1]).astype(np.int64)
        self.site_of = np.array(replay.site, dtype=np.int64)
        self.keys = self.site_of[self.appliance] * self.n_assets + self.asset
        self.asked_for = placement.site.astype(np.int64) * self.n_assets + placement.asset
        self.missing = np.setdiff1d(self.asked_for, self.keys)

    def faults(self, stored_after: StoredNow | None, not_fitting: SiteAssets | None) -> list[PlanFault]:
        faults = [*self._forbidden(), *self._left_out(), *self._left_over()]
        if stored_after is not None:
            stated = stored_after.appliance.astype(np.int64) * self.n_assets + stored_after.asset
            found = self.appliance * self.n_assets + self.asset
            faults += [self._fault("ending", key, self._appliance_id, "is there in the end", "not to be")
                       for key in np.setdiff1d(found, stated)]
            faults += [self._fault("ending", key, self._appliance_id, "is not there in the end", "to be")
                       for key in np.setdiff1d(stated, found)]
        if not_fitting is not None:
            stated = not_fitting.site.astype(np.int64) * self.n_assets + not_fitting.asset
            faults += [self._fault("ending", key, self._site_id, "is missing", "to be there, or said not to fit")
                       for key in np.setdiff1d(self.missing, stated)]
            faults += [self._fault("ending", key, self._site_id, "is said not to fit", "a pair that is missing")
                       for key in np.setdiff1d(stated, self.missing)]
        return faults

    def _forbidden(self):
        """Nothing that may not be stored is left."""
        replay = self.replay
        suspects = np.isin(self.asset, [*replay.unlicensed, *replay.catalog.excluded_sites])
        for i, asset in zip(self.appliance[suspects].tolist(), self.asset[suspects].tolist(), strict=True):
            if replay.is_forbidden(i, asset):
                yield self._fault("forbidden", i * self.n_assets + asset, self._appliance_id, "is left there",
                                  "a removal")

    def _left_out(self):
        """Nothing is missing that some appliance of the site has both room and time for."""
        replay = self.replay
        wanted = np.isin(self.keys, self.asked_for)
        room = np.array(replay.storage, dtype=np.int64)
        np.subtract.at(room, self.appliance[wanted], replay.catalog.size_bytes[self.asset[wanted]])
        idle = [window[1] - window[0] - busy for window, busy in zip(replay.window, replay.busy_us, strict=True)]
        cluster: dict[int, list[int]] = {}
        for i, site in enumerate(replay.site):
            cluster.setdefault(site, []).append(i)
        for key in self.missing.tolist():
            site, asset = divmod(key, self.n_assets)
            for i in cluster.get(site, []):
                needed = needed_us(replay.size[asset], replay.topology.appliances[i].fill_bps)
                if (replay.size[asset] <= room[i] and needed is not None and needed <= idle[i]
                        and not replay.is_forbidden(i, asset)):
                    yield self._fault("left out", key, self._site_id, "is missing in the end",
                                      f"an addition: {replay.topology.appliances[i].id!r} has room and time for it")
                    break

    def _left_over(self):
        """Where nothing is missing, nothing but the placement is there, each asset once at a site."""
        short = np.unique(self.missing // self.n_assets)
        order = np.argsort(self.keys, kind="stable")
        again = np.zeros(len(order), dtype=bool)
        again[order[1:]] = self.keys[order[1:]] == self.keys[order[:-1]]
        surplus = (again | ~np.isin(self.keys, self.asked_for)) & ~np.isin(self.site_of[self.appliance], short)
        for k in np.flatnonzero(surplus):
            yield self._fault("left over", self.appliance[k] * self.n_assets + self.asset[k], self._appliance_id,
                              "is still there", "a removal: all that the site is to store fits")

    def _appliance_id(self, position: int) -> str:
        return self.replay.topology.appliances[position].id

    def _site_id(self, position: int) -> str:
        return self.replay.topology.sites[position].id

    def _fault(self, rule: str, key: int, name, found: str, expected: str) -> PlanFault:
        where, asset = divmod(int(key), self.n_assets)
        return PlanFault(None, rule, f"{name(where)}/{self.replay.catalog.asset_index.id_of(asset)}", found, expected)

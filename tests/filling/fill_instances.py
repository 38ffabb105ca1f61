"""Small networks and nights for the fill tests, and a random one drawn by hypothesis."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cdn.filling import FillResult, check_fill_plan, plan_fill
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.fill_plan import FillPlan, StoredNow
from cdn.model.network import Network
from cdn.model.placement import Placement
from cdn.model.problem import build_problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Link, Region, Site, Topology

DAY = pd.Timestamp("2012-12-28")
MEGABIT_BYTES = 125_000  # what a 1 Mbit/s appliance takes in during one second


class Night:
    """One night's inputs. ``appliances``: (id, site, storage, window in minutes); ``sizes`` by asset; storage and sizes
    in seconds of filling at 1 Mbit/s. ``stored``: (appliance, asset), ``wanted``: (site, asset), ``demand``: (asset,
    bytes) asked for by each site's own region."""

    def __init__(self, sites, appliances, sizes, stored=(), wanted=(), demand=(), links=(), zones=None, day=DAY,
                 serving_costs=None, fill_bps=1e6, **rules):
        zones = zones or {}
        self.topology = Topology(
            sites=(*(Site(s, "edge", time_zone=zones.get(s, "UTC")) for s in sites), Site("origin", "origin")),
            appliances=tuple(Appliance(i, s, storage * MEGABIT_BYTES, fill_bps=fill_bps, fill_window_minutes=window)
                             for i, s, storage, window in appliances),
            regions=tuple(Region(f"clients of {s}", s) for s in sites),
            links=tuple(Link(a, b, cost_per_byte=cost) for a, b, cost in links)
            or tuple(Link(s, "origin", cost_per_byte=1.0) for s in sites),
            serving_costs=serving_costs,
        )
        self.day = day
        self.network = Network(self.topology)
        self.catalog = Catalog.of_sizes(list(sizes), [size * MEGABIT_BYTES for size in sizes.values()], **rules)
        asset, appliance = self.catalog.asset_index.position_of, self.topology.appliance_index.position_of
        site = self.topology.site_index.position_of
        self.stored = StoredNow([appliance(i) for i, _ in stored], [asset(a) for _, a in stored])
        self.placement = SiteAssets.from_pairs([site(s) for s, _ in wanted], [asset(a) for _, a in wanted], len(sizes))
        entries = [(r, asset(a), bytes_) for r in range(len(sites)) for a, bytes_ in demand]
        region, assets, bytes_ = np.array(entries, dtype=float).reshape(-1, 3).T
        self.demand = Demand.from_entries(self.topology.region_index, self.catalog.asset_index, region, assets, bytes_,
                                          bytes_)
        self.problem = build_problem(self.network, self.catalog, self.demand, self.stored, day)

    def plan(self) -> FillResult:
        return plan_fill(self.problem, self.network, self.catalog, self.stored, Placement(self.placement), self.day)

    def faults(self, plan: FillPlan, **stated) -> list[str]:
        return [str(fault) for fault in check_fill_plan(self.topology, self.catalog, self.stored, self.placement, plan,
                                                        self.day, **stated)]

    def steps(self, plan: FillPlan) -> list[tuple]:
        """(appliance, action, asset, start, end, source) with seconds before (negative) or after the day's begin."""
        zero = int(self.day.to_datetime64().astype("datetime64[us]").astype(np.int64))
        sites = [*self.topology.site_index, None]
        return [(self.topology.appliances[i].id, "add" if add else "remove", self.catalog.asset_index.id_of(asset),
                 (start - zero) / 1e6, (end - zero) / 1e6, sites[source])
                for i, add, asset, start, end, source in
                zip(plan.appliance.tolist(), plan.add.tolist(), plan.asset.tolist(), plan.start_us.tolist(),
                    plan.end_us.tolist(), plan.source.tolist(), strict=True)]

    def pairs(self, stored: StoredNow) -> set[tuple[str, str]]:
        """(appliance, asset) ids."""
        return {(self.topology.appliances[i].id, self.catalog.asset_index.id_of(a))
                for i, a in zip(stored.appliance.tolist(), stored.asset.tolist(), strict=True)}

    def deferred(self, result: FillResult) -> list[tuple[str, str, int]]:
        return [(self.topology.sites[s].id, self.catalog.asset_index.id_of(a), r) for s, a, r in
                zip(result.deferred.site.tolist(), result.deferred.asset.tolist(), result.deferred.reason.tolist(),
                    strict=True)]

    def not_fitting(self, result: FillResult) -> SiteAssets:
        return SiteAssets.from_pairs(result.deferred.site, result.deferred.asset, len(self.catalog))


WINDOWS = ((0, 0), (120, 124), (1435, 3), (600, 601), (90, 150))
ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Pacific/Apia")
DAYS = ("2012-12-28", "2021-03-14", "2021-03-15", "2021-11-07", "2021-11-08", "2011-12-31")
RATES = (1e6, 1e6, 3e6, 0.7e6, 0.0, float("inf"))


@st.composite
def nights(draw, ample: bool = False) -> Night:
    """Any small night. ``ample``: rates and windows in which everything fits in time."""
    sites = [f"s{k}" for k in range(draw(st.integers(1, 4)))]
    appliances = [(f"{s}.{k}", s, draw(st.integers(0, 60)), draw(st.sampled_from(WINDOWS)))
                  for s in sites for k in range(draw(st.integers(0, 3)))]
    sizes = {f"a{k}": draw(st.integers(1, 40)) for k in range(draw(st.integers(1, 8)))}
    some = st.integers(0, 2).map(lambda k: k == 0)
    wanted = [(s, a) for s in sites for a in sizes if draw(some)]
    stored = [(i, a) for i, *_ in appliances for a in sizes if draw(some)]
    demand = [(a, draw(st.integers(0, 5)) * 1e6) for a in sizes]
    nodes = [*sites, "origin"]
    links = [(s, draw(st.sampled_from(nodes[:k] + nodes[k + 1:])), draw(st.sampled_from((0.0, 1.0, 1.0, 2.5))))
             for k, s in enumerate(sites)]
    links += [(s, "origin", draw(st.sampled_from((1.0, 3.0)))) for s in sites]
    excluded = {k: (draw(st.sampled_from(sites)),) for k in range(len(sizes)) if draw(st.integers(0, 9)) == 0}
    return Night(sites, appliances, sizes, stored, wanted, demand, links, day=pd.Timestamp(draw(st.sampled_from(DAYS))),
                 zones={s: draw(st.sampled_from(ZONES)) for s in sites}, excluded_sites=excluded,
                 fill_bps=float("inf") if ample else draw(st.sampled_from(RATES)))


def altered_plans(plan: FillPlan, n_appliances: int, n_assets: int, n_sites: int):
    """Every plan with one altered row: (what was done, plan)."""
    columns = {name: getattr(plan, name) for name in ("start_us", "end_us", "appliance", "add", "asset", "source")}

    def with_rows(rows) -> FillPlan:
        return FillPlan(**{name: values[rows] for name, values in columns.items()})

    def with_value(k: int, **values) -> FillPlan:
        changed = {name: values_.copy() for name, values_ in columns.items()}
        for name, value in values.items():
            changed[name][k] = value
        return FillPlan(**changed)

    every = np.arange(len(plan))
    for k in range(len(plan)):
        start, end = int(plan.start_us[k]), int(plan.end_us[k])
        yield f"row {k} dropped", with_rows(np.delete(every, k))
        yield f"row {k} repeated", with_rows(np.insert(every, k, k))
        for source in (-1, 0, n_sites - 1):
            if (source, not plan.add[k]) != (plan.source[k], plan.add[k]):
                yield f"row {k} action, source {source}", with_value(k, add=not plan.add[k], source=source)
        for shift in (-3_600_000_000, -1_000_000, -1, 1, 1_000_000, 3_600_000_000):
            yield f"row {k} start {shift}", with_value(k, start_us=start + shift)
            yield f"row {k} end {shift}", with_value(k, end_us=end + shift)
            yield f"row {k} moved {shift}", with_value(k, start_us=start + shift, end_us=end + shift)
        for name, n in (("appliance", n_appliances), ("asset", n_assets), ("source", n_sites)):
            for other in {0, n - 1, int(columns[name][k]) + 1, int(columns[name][k]) - 1} - {int(columns[name][k])}:
                yield f"row {k} {name} {other}", with_value(k, **{name: other})

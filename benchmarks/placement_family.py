"""The family of placement instances: demand from the generator, a made-up network around it, limits that bind.

Demand is the expected demand of one day with the generator's default skew. An edge holds 2 % of the catalog's bytes
and a mid 6 %, a little uneven.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import scipy.sparse as sp
from placement_network import FILL_COST_SHARE, MadeUpNetwork, draw_network, place_in_turn, shared_links, tight_limits

from cdn.generator.expected import demand_of_sample
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.samples import Sample, draw_sample
from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets

START_DAY, DAYS = date(2026, 3, 2), 12
TODAY = 10
"""A Thursday; the next day is the week's busiest day of launches, so its demand differs most."""
EDGE_STORAGE, MID_STORAGE, UNEVEN = 0.02, 0.06, 0.2
FILL_SHARE = (0.05, 0.08)
DENSE, SPARSE = (2.5, 0.01), (0.1, 0.03)
"""Requests a day per (asset, region), and the fewest expected ones that are kept."""
SEED = 2026


@dataclass(frozen=True)
class Shape:
    """Sizes of an instance, and how sparse its demand is (see ``DENSE``)."""

    assets: int
    regions: int
    sites: int
    density: tuple[float, float] = DENSE


def build_problem(shape: Shape, limits: bool = False, days_later: int = 0) -> Problem:
    """The problem of a shape. ``limits``: egress, fill budget, fill cost and shared links bind. ``days_later``: the
    same network and catalog with the demand of another day (-1 or 1)."""
    sample = draw_demand_sample(shape)
    network = draw_network(shape.regions, shape.sites, np.random.default_rng([SEED, 1]))
    storage = draw_storage(network, sample.catalog.footprint_bytes, np.random.default_rng([SEED, 2]))
    today = TODAY + days_later
    if limits:
        return limited_problem(sample, network, storage, today, np.random.default_rng([SEED, 3]))
    demand = demand_of_sample(sample, START_DAY + timedelta(days=today))
    return free_problem(sample.catalog.size_bytes, demand, network.cost_per_byte, storage)


def draw_demand_sample(shape: Shape) -> Sample:
    """The generator's sample, with its default skew."""
    per_pair, least = shape.density
    parameters = GeneratorParameters(
        n_titles=shape.assets,
        n_regions=shape.regions,
        start_day=START_DAY,
        days=DAYS,
        requests_per_day=per_pair * shape.assets * shape.regions,
        least_requests=least,
    )
    return draw_sample(parameters, np.random.default_rng([SEED, 0]))


def draw_storage(network: MadeUpNetwork, footprint_bytes: int, rng: np.random.Generator) -> np.ndarray:
    """(S,) storage in bytes."""
    share = np.where(network.is_mid, MID_STORAGE, EDGE_STORAGE)
    return np.floor(footprint_bytes * share * rng.uniform(1 - UNEVEN, 1 + UNEVEN, len(share)))


def free_problem(size_bytes: np.ndarray, demand: Demand, cost_per_byte: np.ndarray, storage: np.ndarray) -> Problem:
    """A problem with storage as its only limit."""
    n_sites, n_assets = len(storage), len(size_bytes)
    unlimited, nothing = np.full(n_sites, np.inf), SiteAssets.empty(n_assets)
    return Problem(
        site_index=Index([*(f"site-{s:04d}" for s in range(n_sites)), "origin"]),
        region_index=demand.region_index,
        asset_index=demand.asset_index,
        size_bytes=size_bytes,
        demand=demand,
        cost_per_byte=cost_per_byte,
        storage_bytes=storage,
        egress_bps=unlimited,
        fill_bytes=unlimited,
        fill_cost_per_byte=np.zeros(n_sites),
        stored=nothing,
        pinned=nothing,
        excluded=nothing,
        servable=np.ones(len(demand), dtype=bool),
        path_links=sp.csr_array(((n_sites + 1) * len(demand.region_index), 0)),
        link_capacity_bps=np.zeros(0),
    )


def limited_problem(
    sample: Sample, network: MadeUpNetwork, storage: np.ndarray, today: int, rng: np.random.Generator
) -> Problem:
    """The problem with limits that bind: what is stored is what yesterday's demand, partly misjudged, asked for; fill
    budgets are a few per cent of the storage; half of the caches and of the links carry less than they otherwise
    would."""
    size_bytes = sample.catalog.size_bytes
    yesterday = demand_of_sample(sample, START_DAY + timedelta(days=today - 1))
    held, _ = place_in_turn(network, yesterday, size_bytes, storage, rng)
    stored = SiteAssets.from_dense(held)
    del yesterday, held
    demand = demand_of_sample(sample, START_DAY + timedelta(days=today))
    _, flow = place_in_turn(network, demand, size_bytes, storage)
    factor = demand.hour_factor[demand.peak_hours()]
    links = shared_links(network)
    path_flow = (factor[:, None, :] * flow).reshape(len(factor), -1)
    link_load = (links[: flow.size].T @ path_flow.T).max(axis=1)
    return free_problem(size_bytes, demand, network.cost_per_byte, storage).replace(
        egress_bps=tight_limits((factor @ flow.T).max(axis=0), 0.5, rng),
        fill_bytes=np.floor(storage * rng.uniform(*FILL_SHARE, len(storage))),
        fill_cost_per_byte=FILL_COST_SHARE * network.origin_cost_per_byte,
        stored=stored,
        path_links=links,
        link_capacity_bps=tight_limits(link_load, 0.5, rng),
    )

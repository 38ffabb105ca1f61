"""The placement problem as numbers: everything a placer, the judge or a scenario may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import scipy.sparse as sp

from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.fill_plan import StoredNow
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.site_assets import SiteAssets


@dataclass(frozen=True, eq=False)
class Problem:
    """S caches (the origin is site S), R regions, A assets, N demand entries, L links.

    ``cost_per_byte`` (S + 1, R), infinite where a site may not serve. ``storage_bytes``, ``egress_bps``,
    ``fill_bytes``, ``fill_cost_per_byte`` (S,). ``stored`` is there now; ``pinned`` must be, ``excluded`` must not be.
    ``servable`` (N,) False where licences forbid a cache to serve the entry. ``path_links`` ((S + 1) R, 2 L) and
    ``link_capacity_bps`` (2 L,) as in ``Network``. Link and egress limits bind what caches serve: demand may
    always go to the origin, so every problem has a solution.
    """

    site_index: Index
    region_index: Index
    asset_index: Index
    size_bytes: np.ndarray
    demand: Demand
    cost_per_byte: np.ndarray
    storage_bytes: np.ndarray
    egress_bps: np.ndarray
    fill_bytes: np.ndarray
    fill_cost_per_byte: np.ndarray
    stored: SiteAssets
    pinned: SiteAssets
    excluded: SiteAssets
    servable: np.ndarray
    path_links: sp.csr_array
    link_capacity_bps: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "size_bytes", frozen(self.size_bytes, np.int64))
        object.__setattr__(self, "servable", frozen(self.servable, bool))
        for name in (
            "cost_per_byte",
            "storage_bytes",
            "egress_bps",
            "fill_bytes",
            "fill_cost_per_byte",
            "link_capacity_bps",
        ):
            values = frozen(getattr(self, name), np.float64)
            if np.isnan(values).any() or (values < 0).any():
                raise ValueError(f"{name} must not be negative")
            object.__setattr__(self, name, values)
        if self.cost_per_byte.shape != (self.n_caches + 1, len(self.region_index)):
            raise ValueError("cost_per_byte must be (S + 1, R)")
        if not np.isfinite(self.cost_per_byte[-1]).all():
            raise ValueError("the origin must be able to serve every region")
        if len(self.pinned):
            self._check_pins()

    def _check_pins(self) -> None:
        both = self.pinned.contains(self.excluded.site, self.excluded.asset, self.n_caches)
        if both.any():
            k = int(np.flatnonzero(both)[0])
            raise ValueError(
                f"asset {self.asset_index.id_of(self.excluded.asset[k])!r} is both pinned to and kept from site "
                f"{self.site_index.id_of(self.excluded.site[k])!r} (excluded, or its licence does not cover the day)"
            )
        pinned_bytes = self.pinned.bytes_per_site(self.size_bytes, self.n_caches)
        for s in np.flatnonzero(pinned_bytes > self.storage_bytes):
            raise ValueError(
                f"site {self.site_index.id_of(s)!r} is pinned {pinned_bytes[s]:.0f} bytes but stores "
                f"{self.storage_bytes[s]:.0f}"
            )

    @property
    def n_caches(self) -> int:
        return len(self.site_index) - 1

    @property
    def origin_cost(self) -> np.ndarray:
        """(R,) cost per byte from the origin."""
        return self.cost_per_byte[-1]

    @property
    def may_serve(self) -> np.ndarray:
        """(S, R) bool: the cache may serve the region and costs no more than the origin."""
        return np.isfinite(self.cost_per_byte[:-1]) & (self.cost_per_byte[:-1] <= self.origin_cost)

    @cached_property
    def usable_fill_bytes(self) -> np.ndarray:
        """(S,) fill limit, raised to what the pins need: a pin that is not stored is filled whatever it takes."""
        new_pins = self.pinned.minus(self.stored, self.n_caches)
        return np.maximum(self.fill_bytes, new_pins.bytes_per_site(self.size_bytes, self.n_caches))

    def storable(self, site: int) -> np.ndarray:
        """(A,) bool: the cache could store the asset were it empty: it fits the storage and, where it is not stored
        now, tonight's fill, and it is not excluded. Pins always can."""
        able = self.size_bytes <= self.storage_bytes[site]
        stored, pinned, excluded = (pairs.assets_of(site) for pairs in (self.stored, self.pinned, self.excluded))
        fits_tonight = self.size_bytes <= self.usable_fill_bytes[site]
        fits_tonight[stored] = True
        able &= fits_tonight
        able[excluded] = False
        able[pinned] = True
        return able

    def replace(self, **changes) -> "Problem":
        """The same problem with some fields changed: a what-if is a new value."""
        return replace(self, **changes)


def build_problem(
    network: Network, catalog: Catalog, demand: Demand, stored: StoredNow | None = None, day: pd.Timestamp | None = None
) -> Problem:
    """Puts topology, catalog, demand and what is stored now together.

    Raises ValueError where rules name a site that is no cache, pins contradict storage, exclusions or licences, or the
    origin cannot serve a region.
    """
    topology = network.topology
    stored = StoredNow.nothing() if stored is None else stored
    n_caches = topology.n_caches
    site_of = topology.appliance_sites
    egress, fill = (
        np.bincount(site_of, weights=[getattr(a, name) for a in topology.appliances], minlength=n_caches)
        for name in ("egress_bps", "fill_bytes")
    )
    return Problem(
        site_index=topology.site_index,
        region_index=topology.region_index,
        asset_index=catalog.asset_index,
        size_bytes=catalog.size_bytes,
        demand=demand,
        cost_per_byte=network.cost_per_byte,
        storage_bytes=topology.storage_bytes,
        egress_bps=egress,
        fill_bytes=fill,
        fill_cost_per_byte=network.fill_cost_per_byte,
        stored=SiteAssets.from_pairs(site_of[stored.appliance], stored.asset, len(catalog)),
        pinned=_rule_pairs(catalog.pinned_sites, topology.site_index, catalog.asset_index),
        excluded=_excluded(catalog, topology.site_index, n_caches, day),
        servable=_servable(catalog, demand),
        path_links=network.path_links,
        link_capacity_bps=network.link_capacity_bps,
    )


def _rule_pairs(rule: Mapping[int, tuple[str, ...]], site_index: Index, asset_index: Index) -> SiteAssets:
    """Pairs of a catalog's rule. The origin holds everything, so no rule may name it."""
    site = site_index.positions_of([site for sites in rule.values() for site in sites])
    asset = np.repeat(np.fromiter(rule, dtype=np.int64, count=len(rule)), [len(sites) for sites in rule.values()])
    wrong = np.flatnonzero((site < 0) | (site == len(site_index) - 1))
    if len(wrong):
        names = [site for sites in rule.values() for site in sites]
        raise ValueError(
            f"asset {asset_index.id_of(asset[wrong[0]])!r} names {names[wrong[0]]!r}, which is no edge or mid site"
        )
    return SiteAssets.from_pairs(site, asset, len(asset_index))


def _excluded(catalog: Catalog, site_index: Index, n_caches: int, day: pd.Timestamp | None) -> SiteAssets:
    listed = _rule_pairs(catalog.excluded_sites, site_index, catalog.asset_index)
    if day is None:
        return listed
    unlicensed = np.flatnonzero(~catalog.licensed_on(day))
    everywhere = SiteAssets.at_all_sites(unlicensed, n_caches, len(catalog))
    return listed.union(everywhere) if len(listed) else everywhere


def _servable(catalog: Catalog, demand: Demand) -> np.ndarray:
    servable = np.ones(len(demand), dtype=bool)
    tables: dict[tuple[str, ...], np.ndarray] = {}  # many assets are allowed in the same regions
    for asset, regions in catalog.allowed_regions.items():
        if regions not in tables:
            tables[regions] = np.zeros(len(demand.region_index), dtype=bool)
            position = demand.region_index.positions_of(np.array(regions, dtype=object))
            tables[regions][position[position >= 0]] = True
        entries = slice(demand.indptr[asset], demand.indptr[asset + 1])
        servable[entries] = tables[regions][demand.region[entries]]
    return servable

"""Sites, appliances, regions and links: the network, as written in a topology file.

Everything numeric that the rest needs of it (cheapest paths, serving costs) is worked out in
``cdn.model.network``. Units: bytes, bit/s, cost per byte, milliseconds.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from cdn.model.index import Index

EDGE, MID, ORIGIN = "edge", "mid", "origin"
SITE_KINDS = (EDGE, MID, ORIGIN)


@dataclass(frozen=True)
class Site:
    """A location with appliances. Kind is ``edge``, ``mid`` or ``origin`` (which holds everything). ``serves``: the
    only regions it may serve (an edge inside an ISP serves that ISP's clients); None for all that a path reaches."""

    id: str
    kind: str
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = "UTC"
    fill_cost_per_byte: float | None = None
    serves: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Appliance:
    """One cache server of a site. ``fill_window_minutes``: start and end in minutes after local midnight;
    an end at or before the start lies on the next day, and equal ones mean the whole day."""

    id: str
    site_id: str
    storage_bytes: int
    egress_bps: float = math.inf
    fill_bps: float = math.inf
    fill_window_minutes: tuple[int, int] = (0, 0)

    @property
    def fill_window_seconds(self) -> int:
        """Length of the fill window, 60 s to 24 h."""
        start, end = self.fill_window_minutes
        return ((end - start - 1) % 1440 + 1) * 60

    @property
    def fill_bytes(self) -> float:
        """What the appliance can take in during one fill window."""
        return self.fill_bps * self.fill_window_seconds / 8


@dataclass(frozen=True)
class Region:
    """A group of clients that see the network alike, attached to a node (a site or a router)."""

    id: str
    node_id: str
    time_zone: str = "UTC"
    weight: float = 1.0
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Link:
    """Two nodes joined both ways; the capacity holds for each direction (full duplex)."""

    a: str
    b: str
    capacity_bps: float = math.inf
    cost_per_byte: float = 0.0
    latency_ms: float = 0.0


@dataclass(frozen=True)
class ServingCost:
    """Cost of a byte served from a site to a region; where such rows exist, only they may serve."""

    region_id: str
    site_id: str
    cost_per_byte: float


@dataclass(frozen=True)
class Topology:
    """The whole network. Exactly one site is the origin.

    Site order everywhere is: caches as listed, then the origin last, so that caches are 0..S-1 and
    the origin is S.
    """

    sites: tuple[Site, ...]
    appliances: tuple[Appliance, ...]
    regions: tuple[Region, ...]
    links: tuple[Link, ...] = ()
    serving_costs: tuple[ServingCost, ...] | None = None
    name: str = field(default="topology", compare=False)

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))
        caches = tuple(site for site in self.sites if site.kind != ORIGIN)
        origins = tuple(site for site in self.sites if site.kind == ORIGIN)
        object.__setattr__(self, "sites", caches + origins)

    def _faults(self):
        origins = [site.id for site in self.sites if site.kind == ORIGIN]
        if len(origins) != 1:
            yield f"a topology has exactly one site of kind 'origin', found {len(origins)}: {origins[:5]}"
        if not self.regions:
            yield "a topology has at least one region"
        for site in self.sites:
            if site.kind not in SITE_KINDS:
                yield f"site {site.id!r}: kind is one of {SITE_KINDS}, not {site.kind!r}"
        for kind, members in (("site", self.sites), ("appliance", self.appliances), ("region", self.regions)):
            ids = [member.id for member in members]
            for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1} if len(ids) != len(set(ids)) else ()):
                yield f"{kind} {id_!r} stands twice"
        cache_ids = {site.id for site in self.sites if site.kind != ORIGIN}
        for appliance in self.appliances:
            if appliance.site_id not in cache_ids:
                yield f"appliance {appliance.id!r}: site {appliance.site_id!r} is no edge or mid site"
        zones = {site.time_zone for site in self.sites} | {region.time_zone for region in self.regions}
        for zone in sorted(zones):
            if not is_time_zone(zone):
                yield f"time zone {zone!r} is not in the IANA database"

    @property
    def n_caches(self) -> int:
        """Number of sites that are not the origin (S)."""
        return len(self.sites) - 1

    @property
    def origin(self) -> Site:
        return self.sites[-1]

    @cached_property
    def site_index(self) -> Index:
        """Caches 0..S-1, origin S."""
        return Index(site.id for site in self.sites)

    @cached_property
    def region_index(self) -> Index:
        return Index(region.id for region in self.regions)

    @cached_property
    def appliance_index(self) -> Index:
        return Index(appliance.id for appliance in self.appliances)

    @cached_property
    def appliance_sites(self) -> np.ndarray:
        """(number of appliances,) int32 site of each."""
        return self.site_index.positions_of(np.array([a.site_id for a in self.appliances], dtype=object))

    @cached_property
    def storage_bytes(self) -> np.ndarray:
        """(S,) storage of each cache: that of its appliances."""
        per_appliance = [appliance.storage_bytes for appliance in self.appliances]
        return np.bincount(self.appliance_sites, weights=per_appliance, minlength=self.n_caches)

    def with_storage_share(self, share: float) -> "Topology":
        """The network with only a share of each appliance's storage for planned assets (the rest is reactive)."""
        return replace(
            self,
            appliances=tuple(
                replace(appliance, storage_bytes=math.floor(appliance.storage_bytes * share))
                for appliance in self.appliances
            ),
        )

    def appliances_of(self, site_id: str) -> tuple[Appliance, ...]:
        """The cluster of a site."""
        return tuple(appliance for appliance in self.appliances if appliance.site_id == site_id)


def is_time_zone(name: str) -> bool:
    """Does the IANA database know the zone?"""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True

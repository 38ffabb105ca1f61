"""The CRAN mirror log as a CDN: country = region, asset = package + version (see the data's own README for its traps).

The 30 countries with most requests are regions, the rest is one. Twelve edge sites stand in the twelve heaviest
regions; a region without one uses the nearest. Two mid sites (Ashburn, Frankfurt); the origin is in Vienna, where
CRAN's master is. An edge serves only the regions attached to it, as an appliance inside an ISP does; mids and origin
serve all.
Costs per GB are stated here, not measured: 0.5 per 1000 km of the great circle, plus 1 to leave an edge's own
country, 2 to leave a mid, and 6 to leave the origin.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.model.topology import Appliance, Region, ServingCost, Site, Topology
from cdn.units import BYTES_PER_GB

LOG = Path(__file__).resolve().parents[2] / "shared" / "data" / "cran_mirror_requests_2012-2013_8days.parquet"
N_REGIONS, N_EDGES, SWEEP_PACKAGES, REST = 30, 12, 300, "rest"
EARTH_KM = 6371.0

# Latitude and longitude of a large city of each country that can be among the largest regions.
CITIES = {
    "US": (39.0, -77.5),
    "ES": (40.4, -3.7),
    "JP": (35.7, 139.7),
    "EG": (30.0, 31.2),
    "CN": (39.9, 116.4),
    "IN": (19.1, 72.9),
    "DE": (50.1, 8.7),
    "GB": (51.5, -0.1),
    "FR": (48.9, 2.4),
    "KR": (37.6, 127.0),
    "BR": (-23.5, -46.6),
    "IT": (45.5, 9.2),
    "IE": (53.3, -6.3),
    "CA": (43.7, -79.4),
    "PT": (38.7, -9.1),
    "RS": (44.8, 20.5),
    "PL": (52.2, 21.0),
    "NZ": (-36.8, 174.8),
    "AU": (-33.9, 151.2),
    "TH": (13.8, 100.5),
    "TR": (41.0, 29.0),
    "CH": (47.4, 8.5),
    "RU": (55.8, 37.6),
    "NL": (52.4, 4.9),
    "TW": (25.0, 121.5),
    "IR": (35.7, 51.4),
    "SG": (1.3, 103.8),
    "PE": (-12.0, -77.0),
    "LT": (54.7, 25.3),
    "CO": (4.7, -74.1),
    "AT": (48.2, 16.4),
    "BE": (50.8, 4.4),
    "IL": (32.1, 34.8),
    "SE": (59.3, 18.1),
    "EE": (59.4, 24.8),
    REST: (48.2, 16.4),
}
MIDS, ORIGIN = {"mid-US": CITIES["US"], "mid-DE": CITIES["DE"]}, CITIES["AT"]


@dataclass(frozen=True, eq=False)
class Cran:
    """The log as the package sees it; ``sweeping`` (N,) marks requests of clients that sweep the whole mirror."""

    catalog: Catalog
    region_index: Index
    log: RequestLog
    sweeping: np.ndarray
    requests_per_region: np.ndarray

    def day(self, name: str, with_sweeps: bool) -> RequestLog:
        """The requests of one UTC day."""
        number = int(np.datetime64(name, "D").astype(int))
        return self.log.select((self.log.day == number) & (with_sweeps | ~self.sweeping))

    def days(self, first: str, last: str, with_sweeps: bool) -> RequestLog:
        """The requests from the first to the last UTC day."""
        lo, hi = (int(np.datetime64(name, "D").astype(int)) for name in (first, last))
        return self.log.select((self.log.day >= lo) & (self.log.day <= hi) & (with_sweeps | ~self.sweeping))


def read_cran() -> Cran:
    """Reads the log; rows without a package (11 of 80,431) are left out."""
    frame = pd.read_parquet(LOG).dropna(subset=["package", "version"])
    frame["asset_id"] = frame["package"].astype(object) + "_" + frame["version"].astype(object)
    largest = frame["country"].value_counts().index[:N_REGIONS]
    frame["region_id"] = frame["country"].astype(object).where(frame["country"].isin(largest), REST)
    packages = frame.groupby(["log_day", "ip_id"])["package"].transform("nunique")
    sizes = frame.groupby("asset_id")["size"].max()
    catalog = Catalog.of_sizes(sizes.index, sizes.to_numpy(dtype=np.int64))
    region_index = Index([*largest, REST])
    frame["sweeping"] = (packages > SWEEP_PACKAGES).to_numpy()
    frame = frame.sort_values("timestamp", kind="stable")
    log = RequestLog(
        region_index,
        catalog.asset_index,
        frame["timestamp"].to_numpy(dtype="datetime64[us]").astype(np.int64),
        region_index.positions_of(frame["region_id"]),
        catalog.asset_index.positions_of(frame["asset_id"]),
        frame["size"].to_numpy(dtype=np.int64),
    )
    return Cran(
        catalog, region_index, log, frame["sweeping"].to_numpy(), np.bincount(log.region, minlength=len(region_index))
    )


def network_of(cran: Cran, storage_share: float) -> Network:
    """The network, every cache holding ``storage_share`` of the footprint."""
    regions = list(cran.region_index)
    edges = [regions[r] for r in np.argsort(-cran.requests_per_region, kind="stable") if regions[r] != REST][:N_EDGES]
    storage_bytes = int(storage_share * cran.catalog.footprint_bytes)
    sites = [Site(f"edge-{id_}", "edge", *CITIES[id_]) for id_ in edges]
    sites += [Site(id_, "mid", *place) for id_, place in MIDS.items()]
    appliances = tuple(Appliance(f"{site.id}-1", site.id, storage_bytes) for site in sites)
    costs = [cost for id_ in regions for cost in _serving_costs(id_, edges)]
    return Network(
        Topology(
            (*sites, Site("origin", "origin", *ORIGIN)),
            appliances,
            tuple(Region(id_, "origin", latitude=CITIES[id_][0], longitude=CITIES[id_][1]) for id_ in regions),
            serving_costs=tuple(costs),
            name="cran",
        )
    )


def _serving_costs(region: str, edges: list[str]):
    here = CITIES[region]
    edge = region if region in edges else min(edges, key=lambda id_: great_circle_km(here, CITIES[id_]))
    yield _cost(region, f"edge-{edge}", 0.5 * great_circle_km(here, CITIES[edge]) / 1000 + (edge != region))
    for id_, place in MIDS.items():
        yield _cost(region, id_, 2 + 0.5 * great_circle_km(here, place) / 1000)
    yield _cost(region, "origin", 6 + 0.5 * great_circle_km(here, ORIGIN) / 1000)


def _cost(region: str, site: str, cost_per_gb: float) -> ServingCost:
    return ServingCost(region, site, cost_per_gb / BYTES_PER_GB)


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Haversine distance of two (latitude, longitude) in degrees."""
    (lat1, lon1), (lat2, lon2) = np.radians(a), np.radians(b)
    chord = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return float(2 * EARTH_KM * np.arcsin(np.sqrt(chord)))

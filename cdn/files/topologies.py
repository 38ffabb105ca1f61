"""The topology file (TOML): sites, appliances, regions, links and, optionally, listed serving costs."""

import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, read_table
from cdn.files.writing import write_text
from cdn.model.topology import Appliance, Link, Region, ServingCost, Site, Topology
from cdn.units import BPS_PER_GBPS, BYTES_PER_GB

SERVING_COSTS = TableSchema(
    "serving costs",
    (
        Column("region_id", "string", "", "to whom"),
        Column("site_id", "string", "", "from where; `origin` names the origin whatever its id"),
        Column("cost_per_gb", "number", "cost/GB", "cost of serving", minimum=0),
    ),
    key=("region_id", "site_id"),
)
ORIGIN_ALIAS = "origin"
_WINDOW = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)$")

Id = Annotated[str, Field(min_length=1)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class SiteRecord(_Record):
    id: Id = Field(description="name of the site")
    kind: Literal["edge", "mid", "origin"] = Field(description="edge (inside an ISP), mid (exchange, metro) or origin (holds everything; exactly one)")
    latitude: float | None = Field(None, ge=-90, le=90, description="degrees north")
    longitude: float | None = Field(None, ge=-180, le=180, description="degrees east")
    time_zone: str = Field("UTC", description="IANA zone its fill windows are in")
    fill_cost_per_gb: float | None = Field(None, ge=0, allow_inf_nan=False, description="cost of a GB filled; without it the cheapest path from the origin")


class ApplianceRecord(_Record):
    id: Id = Field(description="name of the cache server")
    site: Id = Field(description="edge or mid site it stands in")
    storage_gb: float = Field(ge=0, allow_inf_nan=False, description="storage for assets")
    egress_gbps: float | None = Field(None, ge=0, description="serving rate; without it no limit")
    fill_gbps: float | None = Field(None, ge=0, description="fill rate; without it no limit")
    fill_window: str = Field("00:00-24:00", pattern=_WINDOW.pattern, description="local time HH:MM-HH:MM in which it may be filled; may pass midnight")


class RegionRecord(_Record):
    id: Id = Field(description="name of the region")
    site_or_node: Id = Field(description="site or router its clients are attached to")
    time_zone: str = Field("UTC", description="IANA zone of its clients")
    weight: float = Field(1.0, ge=0, allow_inf_nan=False, description="share of the demand, for generators and imports")
    latitude: float | None = Field(None, ge=-90, le=90, description="degrees north, for maps")
    longitude: float | None = Field(None, ge=-180, le=180, description="degrees east, for maps")


class LinkRecord(_Record):
    a: Id = Field(description="one end: a site or router")
    b: Id = Field(description="the other end")
    capacity_gbps: float | None = Field(None, ge=0, description="capacity in each direction; without it no limit")
    cost_per_gb: float = Field(0.0, ge=0, allow_inf_nan=False, description="cost of a GB over the link")
    latency_ms: float = Field(0.0, ge=0, allow_inf_nan=False, description="one-way latency; breaks ties between equally dear paths")


class ServingCostRecord(_Record):
    region_id: Id = Field(description="to whom")
    site_id: Id = Field(description="from where; `origin` names the origin whatever its id")
    cost_per_gb: float = Field(ge=0, allow_inf_nan=False, description="cost of serving")


class TopologyRecord(_Record):
    """The whole file. ``serving_costs`` is a list of tables, or the name of a CSV or Parquet file beside it."""

    sites: list[SiteRecord]
    appliances: list[ApplianceRecord] = []
    regions: list[RegionRecord]
    links: list[LinkRecord] = []
    serving_costs: list[ServingCostRecord] | str | None = None


def read_topology(path: Path | str) -> Topology:
    """Reads a topology. Raises DataError; rows are paths such as ``sites[3]``."""
    path = Path(path)
    record = parse_record(path, load_toml(path), TopologyRecord)
    faults = _reference_faults(str(path), record)
    if faults:
        raise DataError(faults)
    try:
        return Topology(
            sites=tuple(_site(site) for site in record.sites),
            appliances=tuple(_appliance(appliance) for appliance in record.appliances),
            regions=tuple(Region(r.id, r.site_or_node, r.time_zone, r.weight, r.latitude, r.longitude) for r in record.regions),
            links=tuple(Link(link.a, link.b, _rate(link.capacity_gbps), link.cost_per_gb / BYTES_PER_GB, link.latency_ms)
                        for link in record.links),
            serving_costs=_serving_costs(path, record),
            name=path.stem,
        )
    except ValueError as error:
        raise DataError.of_file(path, str(error)) from error


def load_toml(path: Path) -> dict[str, Any]:
    """The TOML document. Raises DataError where it is missing or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError.of_file(path, f"a readable TOML file ({error})") from error


def parse_record(path: Path | str, document: dict[str, Any], record_type: type[BaseModel]) -> Any:
    """Validates a document against a pydantic model; every fault with its path in the document. Raises DataError."""
    try:
        return record_type.model_validate(document)
    except ValidationError as error:
        raise DataError(_fault(str(path), detail) for detail in error.errors()) from error


def _fault(file: str, detail: Any) -> Fault:
    location = [part for part in detail["loc"] if not (isinstance(part, str) and "[" in part)]
    steps = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location[:-1]).lstrip(".")
    last = location[-1] if location else None
    if isinstance(last, int):
        steps, last = f"{steps}[{last + 1}]", None
    value = None if detail["type"] == "missing" else detail["input"]
    return Fault(file, steps or None, None if last is None else str(last), value, _expectation(detail))


def _expectation(detail: Any) -> str:
    if detail["type"] == "missing":
        return "a value, none is given"
    if detail["type"] == "extra_forbidden":
        return "no such key"
    message = detail["msg"]
    for prefix in ("Input should be ", "Value error, ", "String should "):
        message = message.removeprefix(prefix)
    return message


def _reference_faults(file: str, record: TopologyRecord) -> list[Fault]:
    """Ids that stand for nothing, said where they are written."""
    sites = {site.id for site in record.sites}
    caches = {site.id for site in record.sites if site.kind != "origin"}
    nodes = sites | {end for link in record.links for end in (link.a, link.b)}
    faults = [Fault(file, f"appliances[{k}]", "site", a.site, "the id of an edge or mid site")
              for k, a in enumerate(record.appliances, 1) if a.site not in caches]
    faults += [Fault(file, f"regions[{k}]", "site_or_node", r.site_or_node, "a site, or a node named by a link")
               for k, r in enumerate(record.regions, 1) if record.serving_costs is None and r.site_or_node not in nodes]
    faults += [Fault(file, f"links[{k}]", "b", link.b, "another node than a")
               for k, link in enumerate(record.links, 1) if link.a == link.b]
    return faults


def _site(record: SiteRecord) -> Site:
    fill_cost = None if record.fill_cost_per_gb is None else record.fill_cost_per_gb / BYTES_PER_GB
    return Site(record.id, record.kind, record.latitude, record.longitude, record.time_zone, fill_cost)


def _appliance(record: ApplianceRecord) -> Appliance:
    match = _WINDOW.match(record.fill_window)
    assert match is not None  # the pattern was checked above
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    return Appliance(record.id, record.site, round(record.storage_gb * BYTES_PER_GB), _rate(record.egress_gbps),
                     _rate(record.fill_gbps), (h1 * 60 + m1, (h2 * 60 + m2) % 1440))


def _rate(gbps: float | None) -> float:
    return math.inf if gbps is None else gbps * BPS_PER_GBPS


def _serving_costs(path: Path, record: TopologyRecord) -> tuple[ServingCost, ...] | None:
    if record.serving_costs is None:
        return None
    file, rows = str(path), [(f"serving_costs[{k}]", row.region_id, row.site_id, row.cost_per_gb)
                             for k, row in enumerate(record.serving_costs, 1) if not isinstance(row, str)]
    if isinstance(record.serving_costs, str):
        frame = read_table(path.parent / record.serving_costs, SERVING_COSTS)
        file = frame.attrs["file"]
        rows = list(zip(frame.index, frame["region_id"], frame["site_id"], frame["cost_per_gb"], strict=True))
    origin = next((site.id for site in record.sites if site.kind == "origin"), None)
    sites, regions = {site.id for site in record.sites}, {region.id for region in record.regions}
    faults, costs, seen = [], [], set()
    for row, region_id, site_id, cost_per_gb in rows:
        site = origin if site_id == ORIGIN_ALIAS and site_id not in sites and origin is not None else site_id
        if region_id not in regions:
            faults.append(Fault(file, row, "region_id", region_id, "an id of the topology's regions"))
        elif site not in sites:
            faults.append(Fault(file, row, "site_id", site_id, "an id of the topology's sites"))
        elif (region_id, site) in seen:
            faults.append(Fault(file, row, "site_id", site_id, "a (region, site) pair that stands once"))
        seen.add((region_id, site))
        costs.append(ServingCost(region_id, site, cost_per_gb / BYTES_PER_GB))
    faults += [Fault(file, None, "region_id", region, "a serving cost of the origin for every region")
               for region in sorted(regions - {r for r, s in seen if s == origin})]
    if faults:
        raise DataError(faults)
    return tuple(costs)


def topology_document(topology: Topology) -> dict[str, Any]:
    """The topology as its file's document, defaults left out; serving costs inline."""
    document: dict[str, Any] = {
        "sites": [_kept(id=s.id, kind=s.kind, latitude=s.latitude, longitude=s.longitude, time_zone=s.time_zone,
                        fill_cost_per_gb=None if s.fill_cost_per_byte is None else _gb(s.fill_cost_per_byte))
                  for s in topology.sites],
        "appliances": [_kept(id=a.id, site=a.site_id, storage_gb=a.storage_bytes / BYTES_PER_GB,
                             egress_gbps=_gbps(a.egress_bps), fill_gbps=_gbps(a.fill_bps),
                             fill_window=_window(a.fill_window_minutes)) for a in topology.appliances],
        "regions": [_kept(id=r.id, site_or_node=r.node_id, time_zone=r.time_zone, weight=r.weight, latitude=r.latitude,
                          longitude=r.longitude) for r in topology.regions],
        "links": [_kept(a=link.a, b=link.b, capacity_gbps=_gbps(link.capacity_bps), cost_per_gb=_gb(link.cost_per_byte),
                        latency_ms=link.latency_ms) for link in topology.links],
    }
    if topology.serving_costs is not None:
        document["serving_costs"] = [{"region_id": c.region_id, "site_id": c.site_id, "cost_per_gb": _gb(c.cost_per_byte)}
                                     for c in topology.serving_costs]
    return document


def write_topology(topology: Topology, path: Path | str) -> None:
    """Writes a topology file that reads back as the same topology."""
    write_text(path, tomli_w.dumps(topology_document(topology)))


def _kept(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _gb(cost_per_byte: float) -> float:
    # 12 digits take back what the division by 1e9 rounded, so a file survives being read and written.
    return float(f"{cost_per_byte * BYTES_PER_GB:.12g}")


def _gbps(rate_bps: float) -> float | None:
    return None if math.isinf(rate_bps) else rate_bps / BPS_PER_GBPS


def _window(minutes: tuple[int, int]) -> str:
    start, end = minutes
    end = end or 1440
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"

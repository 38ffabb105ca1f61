"""The topology file (TOML): sites, appliances, regions, links and, optionally, listed serving costs."""

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, read_table
from cdn.files.writing import write_text
from cdn.model.topology import ORIGIN, Appliance, Link, Region, ServingCost, Site, Topology, is_time_zone
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
STORAGE_GB_MAX = 9e9  # bytes are 64-bit integers
_WINDOW = re.compile(r"^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$")



def window_minutes(text: str) -> tuple[int, int]:
    """A window such as ``22:00-06:00`` as minutes after midnight. Raises ValueError.

    >>> window_minutes("22:30-24:00")
    (1350, 0)
    """
    if _WINDOW.fullmatch(text) is None:
        raise ValueError(f"fill_window is HH:MM-HH:MM such as 22:00-06:00, not {text!r}")
    start, end = (60 * int(clock[:2]) + int(clock[3:]) for clock in text.split("-"))
    return start, end % 1440


def _checked_window(text: str) -> str:
    if _WINDOW.fullmatch(text) is None:
        raise ValueError("HH:MM-HH:MM such as 22:00-06:00")
    return text


def _checked_zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("a time zone of the IANA database such as Europe/Paris")
    return name


Id = Annotated[str, Field(min_length=1)]
Zone = Annotated[str, AfterValidator(_checked_zone)]
Window = Annotated[str, AfterValidator(_checked_window)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Limit = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SiteRecord(_Record):
    id: Id = Field(description="name of the site")
    kind: Literal["edge", "mid", "origin"] = Field(
        description="edge (inside an ISP), mid (exchange, metro) or origin (holds everything; exactly one)")
    latitude: Latitude | None = Field(None, description="degrees north")
    longitude: Longitude | None = Field(None, description="degrees east")
    time_zone: Zone = Field("UTC", description="IANA zone its fill windows are in")
    fill_cost_per_gb: Amount | None = Field(
        None, description="cost of a GB filled; without it the cheapest path from the origin")
    serves: list[Id] | None = Field(
        None, min_length=1, description="the only regions it may serve; without it all that a path reaches")


class ApplianceRecord(_Record):
    id: Id = Field(description="name of the cache server")
    site: Id = Field(description="edge or mid site it stands in")
    storage_gb: float = Field(ge=0, le=STORAGE_GB_MAX, description="storage for assets")
    egress_gbps: Limit | None = Field(None, description="serving rate; without it no limit")
    fill_gbps: Limit | None = Field(None, description="fill rate; without it no limit")
    fill_window: Window = Field(
        "00:00-24:00", description="local time HH:MM-HH:MM in which it may be filled; may pass midnight")


class RegionRecord(_Record):
    id: Id = Field(description="name of the region")
    site_or_node: Id = Field(description="site or router its clients are attached to")
    time_zone: Zone = Field("UTC", description="IANA zone of its clients")
    weight: Amount = Field(1.0, description="share of the demand, for generators and imports")
    latitude: Latitude | None = Field(None, description="degrees north, for maps")
    longitude: Longitude | None = Field(None, description="degrees east, for maps")


class LinkRecord(_Record):
    a: Id = Field(description="one end: a site or router")
    b: Id = Field(description="the other end")
    capacity_gbps: Limit | None = Field(None, description="capacity in each direction; without it no limit")
    cost_per_gb: Amount = Field(0.0, description="cost of a GB over the link")
    latency_ms: Amount = Field(0.0, description="one-way latency; breaks ties between equally dear paths")


class ServingCostRecord(_Record):
    region_id: Id = Field(description="to whom")
    site_id: Id = Field(description="from where; `origin` names the origin whatever its id")
    cost_per_gb: Amount = Field(description="cost of serving")


class TopologyRecord(_Record):
    """The whole file. ``serving_costs`` is a list of tables, or the name of a CSV or Parquet file beside it."""

    sites: list[SiteRecord] = Field(description="where appliances stand; exactly one is the origin")
    appliances: list[ApplianceRecord] = Field([], description="the cache servers of edge and mid sites")
    regions: list[RegionRecord] = Field(min_length=1, description="who asks; at least one")
    links: list[LinkRecord] = Field([], description="what joins sites and routers, both ways")
    serving_costs: list[ServingCostRecord] | str | None = Field(
        None, description="costs that replace those of the paths, or the name of a CSV or Parquet file beside this one")


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
            regions=tuple(Region(region.id, region.site_or_node, region.time_zone, region.weight, region.latitude,
                                 region.longitude) for region in record.regions),
            links=tuple(Link(link.a, link.b, rate_bps(link.capacity_gbps), link.cost_per_gb / BYTES_PER_GB,
                             link.latency_ms) for link in record.links),
            serving_costs=_serving_costs(path, record),
            name=path.stem,
        )
    except ValueError as error:
        raise DataError.of_file(path, str(error)) from error


def load_toml(path: Path) -> dict[str, Any]:
    """The TOML document. Raises DataError where it is missing or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError.of_file(path, f"a readable TOML file ({error})") from error


def parse_record(path: Path | str, document: dict[str, Any], record_type: type[BaseModel]) -> Any:
    """Validates a document against a pydantic model; every fault with its path in the document. Raises DataError."""
    try:
        return record_type.model_validate(document)
    except ValidationError as error:
        raise DataError(_fault(str(path), detail) for detail in _told_once(error.errors())) from error


def _told_once(details: list[Any]) -> list[Any]:
    """Where a value may be a text or something else, what is wrong with the something else is all that helps."""
    places = [detail["loc"] for detail in details]
    others = {place[:k] for place in places for k in range(len(place)) if place[-1] != "str"}
    return [detail for detail in details if detail["loc"][-1:] != ("str",) or detail["loc"][:-1] not in others]


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
    for prefix in ("Input should be ", "Value error, ", "String should ", "List should "):
        message = message.removeprefix(prefix)
    return message


def _reference_faults(file: str, record: TopologyRecord) -> list[Fault]:
    """Ids that stand twice or for nothing, said where they are written."""
    sites = {site.id for site in record.sites}
    caches = {site.id for site in record.sites if site.kind != ORIGIN}
    nodes = sites | {end for link in record.links for end in (link.a, link.b)}
    n_origins = sum(site.kind == ORIGIN for site in record.sites)
    faults = [Fault(file, "sites", "kind", n_origins, "exactly one site of kind 'origin'")] if n_origins != 1 else []
    faults += [fault for name in ("sites", "appliances", "regions") for fault in _repeated(file, name, record)]
    faults += [Fault(file, f"appliances[{k}]", "site", a.site, "the id of an edge or mid site")
               for k, a in enumerate(record.appliances, 1) if a.site not in caches]
    faults += [Fault(file, f"regions[{k}]", "site_or_node", r.site_or_node, "a site, or a node named by a link")
               for k, r in enumerate(record.regions, 1) if record.serving_costs is None and r.site_or_node not in nodes]
    regions = {region.id for region in record.regions}
    faults += [Fault(file, f"sites[{k}]", "serves", id_, "an id of the topology's regions")
               for k, site in enumerate(record.sites, 1) for id_ in site.serves or () if id_ not in regions]
    faults += [Fault(file, f"links[{k}]", "b", link.b, "another node than a")
               for k, link in enumerate(record.links, 1) if link.a == link.b]
    return faults


def _repeated(file: str, name: str, record: TopologyRecord) -> Iterator[Fault]:
    seen: set[str] = set()
    for k, member in enumerate(getattr(record, name), 1):
        if member.id in seen:
            yield Fault(file, f"{name}[{k}]", "id", member.id, "an id that stands once")
        seen.add(member.id)


def _site(record: SiteRecord) -> Site:
    fill_cost = None if record.fill_cost_per_gb is None else record.fill_cost_per_gb / BYTES_PER_GB
    serves = None if record.serves is None else tuple(record.serves)
    return Site(record.id, record.kind, record.latitude, record.longitude, record.time_zone, fill_cost, serves)


def _appliance(record: ApplianceRecord) -> Appliance:
    return Appliance(record.id, record.site, round(record.storage_gb * BYTES_PER_GB), rate_bps(record.egress_gbps),
                     rate_bps(record.fill_gbps), window_minutes(record.fill_window))


def rate_bps(gbps: float | None) -> float:
    """A rate of the file as bit/s; infinite where the file gives none."""
    # 7e-9 * 1e9 is 7.000000000000001: rounding makes whole bits whole again.
    return math.inf if gbps is None else round(gbps * BPS_PER_GBPS, 3)


def _serving_costs(path: Path, record: TopologyRecord) -> tuple[ServingCost, ...] | None:
    if record.serving_costs is None:
        return None
    file, rows = _cost_rows(path, record.serving_costs)
    origin = next((site.id for site in record.sites if site.kind == ORIGIN), None)
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


def _cost_rows(path: Path, listed: list[ServingCostRecord] | str) -> tuple[str, list[tuple[Any, str, str, float]]]:
    """The file the rows stand in, and (row, region, site, cost) of each."""
    if isinstance(listed, str):
        frame = read_table(path.parent / listed, SERVING_COSTS)
        columns = (frame.index, frame["region_id"], frame["site_id"], frame["cost_per_gb"])
        return frame.attrs["file"], list(zip(*columns, strict=True))
    return str(path), [(f"serving_costs[{k}]", row.region_id, row.site_id, row.cost_per_gb)
                       for k, row in enumerate(listed, 1)]


def topology_document(topology: Topology) -> dict[str, Any]:
    """The topology as its file's document, defaults left out; serving costs inline."""
    document: dict[str, Any] = {
        "sites": [_kept(id=s.id, kind=s.kind, latitude=s.latitude, longitude=s.longitude, time_zone=s.time_zone,
                        fill_cost_per_gb=None if s.fill_cost_per_byte is None else _gb(s.fill_cost_per_byte),
                        serves=None if s.serves is None else list(s.serves))
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
        document["serving_costs"] = [
            {"region_id": cost.region_id, "site_id": cost.site_id, "cost_per_gb": _gb(cost.cost_per_byte)}
            for cost in topology.serving_costs]
    return document


def write_topology(topology: Topology, path: Path | str, comment: str = "") -> None:
    """Writes a topology file that reads back as the same topology. ``comment`` goes on top, each line behind a #."""
    lines = ("".join(c if c.isprintable() else " " for c in line) for line in comment.splitlines())
    head = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    write_text(path, head + ("\n" if head else "") + tomli_w.dumps(topology_document(topology)))


def _kept(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _gb(cost_per_byte: float) -> float:
    # 12 digits take back what the conversion by 1e9 rounded, so a file survives being read and written.
    return float(f"{cost_per_byte * BYTES_PER_GB:.12g}")


def _gbps(bps: float) -> float | None:
    return None if math.isinf(bps) else float(f"{bps / BPS_PER_GBPS:.12g}")


def _window(minutes: tuple[int, int]) -> str:
    start, end = minutes
    end = end or 1440
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"

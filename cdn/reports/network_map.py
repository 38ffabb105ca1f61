"""The network on a map: sites, regions and links at their coordinates, without tiles, on degrees.

A node without coordinates stands where the region on it lies, else between its neighbours that have a place. The plane
is longitude by latitude, stretched so that distances are true along the middle latitude.
"""

import math
from dataclasses import dataclass
from typing import Any

import altair as alt
import networkx as nx
from altair.typing import ChartType

from cdn.files.run_folders import Summary
from cdn.model.network import build_graph
from cdn.model.topology import EDGE, MID, ORIGIN, Region, Topology
from cdn.reports.cells import format_cell, printable
from cdn.reports.label_places import Box, place_labels
from cdn.reports.themes import BLUE, GREEN, GREY, VERMILLION, WIDTH, titled

LOWEST_HEIGHT, HIGHEST_HEIGHT, MARGIN = 260, 560, 0.12
LARGEST_AREA, SMALLEST_AREA, AREA_UNKNOWN = 1100.0, 40.0, 120.0
LABEL_CHARACTERS = 18
REGION = "region"
Place = tuple[float, float]


@dataclass(frozen=True)
class KindOfMark:
    """How sites of a kind, or regions, are drawn."""

    name: str
    colour: str
    shape: str
    opacity: float = 1.0


KINDS = {
    EDGE: KindOfMark("edge site", BLUE, "circle"),
    MID: KindOfMark("mid site", GREEN, "square"),
    ORIGIN: KindOfMark("origin", VERMILLION, "diamond"),
    REGION: KindOfMark("region", GREY, "circle", 0.45),
}


@dataclass(frozen=True)
class Frame:
    """The piece of the world that is drawn, and the size it is drawn at in pixels."""

    west: float
    east: float
    south: float
    north: float
    width: float
    height: float

    def pixel(self, place: Place) -> Place:
        """From (longitude, latitude) to pixels from the upper left."""
        longitude, latitude = place
        return (
            (longitude - self.west) / (self.east - self.west) * self.width,
            (self.north - latitude) / (self.north - self.south) * self.height,
        )


def network_map(summary: Summary, topology: Topology) -> ChartType | None:
    """Sites sized by the bytes they served (before the day: they store), regions by the bytes they asked for. None
    where fewer than two sites have coordinates."""
    places = node_places(topology)
    if sum(site.id in places for site in topology.sites) < 2:
        return None
    marks = _marks(summary, topology, places)
    frame = fit_frame([(mark["longitude"], mark["latitude"]) for mark in marks])
    x = alt.X(
        "longitude:Q",
        scale=alt.Scale(domain=[frame.west, frame.east], nice=False),
        title="degrees east",
        axis=alt.Axis(tickCount=6, domain=False),
    )
    y = alt.Y(
        "latitude:Q",
        scale=alt.Scale(domain=[frame.south, frame.north], nice=False),
        title="degrees north",
        axis=alt.Axis(tickCount=5, domain=False),
    )
    links, attachments = _links(topology, places), _attachments(topology, places)
    layers = [
        _line_layer(links, [1, 0], x, y),
        _line_layer(attachments, [3, 3], x, y),
        _mark_layer(marks, x, y),
        _label_layer(marks, links + attachments, frame),
    ]
    title = titled(_finding(summary), _subtitle(summary, max((mark["bytes"] or 0 for mark in marks), default=0)))
    return alt.layer(*layers).properties(width=frame.width, height=frame.height, title=title)


def node_places(topology: Topology) -> dict[str, Place]:
    """(longitude, latitude) of every node that has a place."""
    places = {
        site.id: (site.longitude, site.latitude)
        for site in topology.sites
        if site.latitude is not None and site.longitude is not None
    }
    for region in topology.regions:
        if region.latitude is not None and region.longitude is not None:
            places.setdefault(region.node_id, (region.longitude, region.latitude))
    return _with_neighbours(build_graph(topology), places)


def _with_neighbours(graph: nx.Graph, places: dict[str, Place]) -> dict[str, Place]:
    """Nodes without a place get the middle of their neighbours' places, from the known ones outwards."""
    places = dict(places)
    while True:
        found = {}
        for node in graph:
            around = [places[other] for other in graph[node] if other in places]
            if node not in places and around:
                found[node] = (sum(p[0] for p in around) / len(around), sum(p[1] for p in around) / len(around))
        if not found:
            return places
        places |= found


def fit_frame(places: list[Place]) -> Frame:
    """A frame with a margin around all places, in true proportions along its middle latitude."""
    (west, east), (south, north) = ((min(p[axis] for p in places), max(p[axis] for p in places)) for axis in (0, 1))
    stretch = max(math.cos(math.radians((south + north) / 2)), 0.1)
    margin = MARGIN * max((east - west) * stretch, north - south, 0.5)
    west, east, south, north = west - margin / stretch, east + margin / stretch, south - margin, north + margin
    height = WIDTH * (north - south) / ((east - west) * stretch)
    if height > HIGHEST_HEIGHT:
        more = (east - west) * (height / HIGHEST_HEIGHT - 1) / 2
        west, east, height = west - more, east + more, HIGHEST_HEIGHT
    elif height < LOWEST_HEIGHT:
        more = (north - south) * (LOWEST_HEIGHT / height - 1) / 2
        south, north, height = south - more, north + more, LOWEST_HEIGHT
    return Frame(west, east, south, north, WIDTH, height)


def _marks(summary: Summary, topology: Topology, places: dict[str, Place]) -> list[dict[str, Any]]:
    """Regions first, so that sites are drawn over them."""
    site_bytes, asked_bytes = _bytes_by_id(summary, topology)
    rows = [
        (region.id, REGION, _region_place(region, places), asked_bytes.get(region.id)) for region in topology.regions
    ]
    rows += [(site.id, site.kind, places.get(site.id), site_bytes.get(site.id)) for site in topology.sites]
    top = max((amount for *_, amount in rows if amount), default=0.0)
    return [
        {
            "longitude": place[0],
            "latitude": place[1],
            "kind": KINDS[kind].name,
            "label": _short(id_),
            "bytes": amount,
            "area": AREA_UNKNOWN if amount is None or not top else SMALLEST_AREA + LARGEST_AREA * amount / top,
            "opacity": KINDS[kind].opacity,
        }
        for id_, kind, place, amount in rows
        if place is not None
    ]


def _bytes_by_id(summary: Summary, topology: Topology) -> tuple[dict[str, float | None], dict[str, float]]:
    """Bytes by site and by region; what is not known is left out or None."""
    replay = summary.replay
    if replay is None:
        return {site.site_id: site.stored_bytes for site in summary.sites}, {}
    from_origin = {topology.origin.id: float(replay.strategies[replay.plan].origin_bytes)}
    return (
        {site.site_id: site.served_bytes for site in summary.sites} | from_origin,
        {region.region_id: region.bytes for region in replay.regions},
    )


def _region_place(region: Region, places: dict[str, Place]) -> Place | None:
    if region.longitude is None or region.latitude is None:
        return places.get(region.node_id)
    return region.longitude, region.latitude


def _short(id_: str) -> str:
    label = printable(id_)
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 1] + "\u2026"


def _links(topology: Topology, places: dict[str, Place]) -> list[tuple[Place, Place]]:
    return [(places[link.a], places[link.b]) for link in topology.links if link.a in places and link.b in places]


def _attachments(topology: Topology, places: dict[str, Place]) -> list[tuple[Place, Place]]:
    """From each region to the node it hangs on, where that stands elsewhere."""
    pairs = [(_region_place(region, places), places.get(region.node_id)) for region in topology.regions]
    return [(one, other) for one, other in pairs if one is not None and other is not None and one != other]


def _line_layer(pairs: list[tuple[Place, Place]], dash: list[float], x: alt.X, y: alt.Y) -> alt.Chart:
    rows = [
        {"longitude": one[0], "latitude": one[1], "to_longitude": other[0], "to_latitude": other[1]}
        for one, other in pairs
    ]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_rule(opacity=0.35, strokeWidth=1.2, strokeDash=dash)
        .encode(x=x, y=y, x2="to_longitude:Q", y2="to_latitude:Q")
    )


def _mark_layer(marks: list[dict[str, Any]], x: alt.X, y: alt.Y) -> alt.Chart:
    kinds = [kind for kind in KINDS.values() if any(mark["kind"] == kind.name for mark in marks)]
    names = [kind.name for kind in kinds]
    legend = alt.Legend(title=None, orient="top", direction="horizontal", symbolSize=110, symbolOpacity=1)
    return (
        alt.Chart(alt.Data(values=marks))
        .mark_point(filled=True)
        .encode(
            x=x,
            y=y,
            size=alt.Size("area:Q", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
            color=alt.Color(
                "kind:N", scale=alt.Scale(domain=names, range=[kind.colour for kind in kinds]), legend=legend
            ),
            shape=alt.Shape(
                "kind:N", scale=alt.Scale(domain=names, range=[kind.shape for kind in kinds]), legend=legend
            ),
        )
    )


def _label_layer(marks: list[dict[str, Any]], lines: list[tuple[Place, Place]], frame: Frame) -> alt.Chart:
    """Names beside their marks, sites' before regions'; a name that would lie on another or on a mark is left out."""
    order = sorted(marks, key=lambda mark: mark["kind"] == KINDS[REGION].name)
    boxes = [Box.around(frame.pixel((mark["longitude"], mark["latitude"])), math.sqrt(mark["area"])) for mark in order]
    drawn = [(frame.pixel(one), frame.pixel(other)) for one, other in lines]
    placed = place_labels(boxes, [mark["label"] for mark in order], frame.width, frame.height, drawn)
    rows = [
        {
            "label": order[k]["label"],
            "x": place.x,
            "y": place.y,
            "align": place.align,
            "opacity": 0.5 + order[k]["opacity"] / 2,
        }
        for k, place in sorted(placed.items())
    ]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_text(fontSize=11, baseline="middle", align=alt.ExprRef("datum.align"))
        .encode(
            x=alt.X("x:Q", scale=None),
            y=alt.Y("y:Q", scale=None),
            text="label:N",
            opacity=alt.Opacity("opacity:Q", scale=None),
        )
    )


def _finding(summary: Summary) -> str:
    replay = summary.replay
    if replay is None:
        stored = format_cell("bytes", sum(site.stored_bytes for site in summary.sites))
        return f"{len(summary.sites)} caches store {stored}"
    total = replay.bytes or 1
    served = {kind: sum(site.served_bytes or 0 for site in summary.sites if site.kind == kind) for kind in (EDGE, MID)}
    edge, mid, origin = (
        format_cell("share", amount / total)
        for amount in (served[EDGE], served[MID], replay.strategies[replay.plan].origin_bytes)
    )
    return f"Edge sites served {edge} of the bytes, mid sites {mid}, the origin {origin}"


def _subtitle(summary: Summary, largest: float) -> str:
    if summary.replay is None:
        return f"Area: bytes stored after the fill for {summary.day}, the largest {format_cell('bytes', largest)}"
    return (
        f"Area: bytes served by a site, asked for by a region, the largest {format_cell('bytes', largest)}; "
        f"replay of {summary.day}"
    )

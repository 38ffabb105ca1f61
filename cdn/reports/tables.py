"""The tables of a report, as plain values: every format prints these and nothing else.

Shares are of 1, sizes bytes, rates bit/s, costs in the topology's unit; the planned day is one day, so a price per byte
of storage is the cost a byte more would save per day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdn.files.run_folders import RegionRecord, ReplayRecord, SiteRecord, Summary
from cdn.reports.cells import Cell, format_cell, printable
from cdn.simulation.strategies import CLAIRVOYANT
from cdn.units import format_bytes

LRU, REGRET = "lru", "regret"
REGIONS_SHOWN, DEFERRED_SHOWN, SITES_SHOWN, APPLIANCES_SHOWN = 5, 10, 20, 20


@dataclass(frozen=True)
class TableColumn:
    """``name`` for machines, with its unit; ``heading`` for people, in lines; None where only machines get it.
    ``kind``: how it is written (``cells.FORMATS``). ``bar``: a share that is also drawn. ``wide``: left out of a narrow
    terminal."""

    name: str
    heading: str | None
    kind: str
    bar: bool = False
    wide: bool = False


@dataclass(frozen=True)
class ReportTable:
    """``rows``: one tuple per row, one value per column. ``shown``: how many rows people get, the rest is for machines.
    ``marked``: the row that is tonight's plan. ``title`` is the finding; it holds no ids."""

    name: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: int | None = None
    marked: int | None = None

    @property
    def rows_shown(self) -> tuple[tuple[Cell, ...], ...]:
        return self.rows[:self.shown]

    @property
    def rows_left_out(self) -> int:
        return len(self.rows) - len(self.rows_shown)

    def records(self) -> list[dict[str, Cell]]:
        """All rows by column name."""
        return [{column.name: cell for column, cell in zip(self.columns, row, strict=True)} for row in self.rows]


def build_tables(summary: Summary) -> list[ReportTable]:
    """All tables there is something to say in, in the order they are read."""
    tables = [build(summary) for build in TABLES]
    return [table for table in tables if table is not None]


def plan_offset(replay: ReplayRecord, name: str) -> float:
    """Offload of a strategy above the plan's; negative where the plan is better."""
    return replay.strategies[name].offload - replay.strategies[replay.plan].offload


def _strategies(summary: Summary) -> ReportTable | None:
    replay = summary.replay
    if replay is None:
        return None
    ranked = sorted(replay.strategies, key=lambda name: (name == CLAIRVOYANT, -replay.strategies[name].offload, name))
    rows: list[tuple[Cell, ...]] = []
    for name in ranked:
        one = replay.strategies[name]
        difference = None if name == replay.plan else plan_offset(replay, name)
        rows.append((name, name == replay.plan, one.offload, difference, one.request_hit_ratio, one.delivery_cost,
                     one.origin_bytes, one.midgress_bytes))
    if replay.offload_regret is not None:
        rows.append(_regret_row(replay))
    columns = (
        TableColumn("strategy", "strategy", "text"), TableColumn("is_plan", None, "text"),
        TableColumn("offload", "offload", "share", bar=True),
        TableColumn("offload_above_plan", "points\nto plan", "points"),
        TableColumn("request_hit_ratio", "request\nhits", "share"),
        TableColumn("delivery_cost", "delivery\ncost", "cost"),
        TableColumn("origin_bytes", "from\norigin", "bytes"),
        TableColumn("midgress_bytes", "midgress", "bytes", wide=True))
    title = f"Offload on the replayed day: {count_of(replay.requests, 'request')}, {format_bytes(replay.bytes)}"
    return ReportTable("strategies", title, columns, tuple(rows), marked=ranked.index(replay.plan))


def _regret_row(replay: ReplayRecord) -> tuple[Cell, ...]:
    """What the plan loses against placing with the day's true demand: offload, cost and bytes from the origin."""
    best, plan = replay.strategies[CLAIRVOYANT], replay.strategies[replay.plan]
    return (REGRET, False, None, replay.offload_regret, None, plan.delivery_cost - best.delivery_cost,
            plan.origin_bytes - best.origin_bytes, None)


def _regions(summary: Summary) -> ReportTable | None:
    replay = summary.replay
    if replay is None:
        return None
    lost = {region.region_id: _bytes_lost(region, replay) for region in replay.regions}
    asked = [region for region in replay.regions if lost[region.region_id] is not None]
    ranked = sorted(asked, key=lambda region: (-(lost[region.region_id] or 0.0), region.region_id))
    rows = tuple((region.region_id, region.requests, _whole(region.bytes), _whole(lost[region.region_id]),
                  region.offload(replay.plan), region.offload(LRU), region.offload(CLAIRVOYANT)) for region in ranked)
    known = CLAIRVOYANT in replay.strategies
    title = "Worst regions: most bytes " + ("lost against knowing the day" if known else "from the origin")
    columns = (
        TableColumn("region_id", "region", "text"), TableColumn("requests", "requests", "count", wide=True),
        TableColumn("bytes", "asked\nfor", "bytes"),
        TableColumn("bytes_lost", "lost" if known else "from\norigin", "bytes"),
        TableColumn("offload_plan", "plan", "share", bar=True),
        TableColumn("offload_lru", "LRU" if LRU in replay.strategies else None, "share"),
        TableColumn("offload_clairvoyant", "clairvoyant" if known else None, "share"))
    return ReportTable("regions", title, columns, rows, shown=REGIONS_SHOWN)


def _bytes_lost(region: RegionRecord, replay: ReplayRecord) -> float | None:
    """Bytes that came from the origin and would not have under the clairvoyant placement, which may be negative;
    without one all that came from the origin. None where nothing was asked for."""
    plan = region.offload(replay.plan)
    best = region.offload(CLAIRVOYANT) if CLAIRVOYANT in replay.strategies else 1.0
    return None if plan is None or best is None else (best - plan) * region.bytes


def _sites(summary: Summary) -> ReportTable:
    def row(site: SiteRecord) -> tuple[Cell, ...]:
        return (site.site_id, site.kind, _whole(site.storage_bytes), _whole(site.pinned_storage_bytes),
                _whole(site.stored_bytes), _share(site.stored_bytes, site.pinned_storage_bytes),
                _whole(site.added_bytes), _whole(site.removed_bytes), _whole(site.deferred_bytes), site.served_bytes,
                site.peak_bps, site.egress_bps, _share(site.peak_bps, site.egress_bps), site.storage_price_per_byte)

    reserved = any(site.pinned_storage_bytes != site.storage_bytes for site in summary.sites)
    title = "Storage and fill per site" + (" (storage: the planned share)" if reserved else "")
    columns = (
        TableColumn("site_id", "site", "text"), TableColumn("kind", None, "text"),
        TableColumn("storage_bytes", None, "bytes"), TableColumn("pinned_storage_bytes", "storage", "bytes", wide=True),
        TableColumn("stored_bytes", None, "bytes"), TableColumn("stored_share", "stored", "share", bar=True),
        TableColumn("added_bytes", "added", "bytes"), TableColumn("removed_bytes", "removed", "bytes", wide=True),
        TableColumn("deferred_bytes", "deferred", "bytes"), TableColumn("served_bytes", None, "bytes"),
        TableColumn("peak_bps", "peak", "rate", wide=True), TableColumn("egress_bps", None, "rate"),
        TableColumn("peak_share_of_egress", "of\nlimit", "share"),
        TableColumn("storage_price_per_byte", "GB-day\nworth", "worth"))
    sites = summary.sites
    if len(sites) > SITES_SHOWN:
        sites = sorted(sites, key=lambda site: (-site.deferred_bytes, -site.added_bytes, site.site_id))
    return ReportTable("sites", title, columns, tuple(row(site) for site in sites), shown=SITES_SHOWN)


def _deferred(summary: Summary) -> ReportTable | None:
    deferred = summary.deferred
    if not deferred.pairs:
        return None
    reasons = ", ".join(f"{printable(reason)} {pairs}" for reason, pairs in deferred.by_reason.items())
    title = f"{count_of(deferred.pairs, 'asset')} ({format_bytes(deferred.bytes)}) did not fit: {reasons}"
    rows = tuple((one.site_id, one.asset_id, _whole(one.bytes), one.saving, one.reason)
                 for one in deferred.most_valuable)
    columns = (TableColumn("site_id", "site", "text"), TableColumn("asset_id", "asset", "text"),
               TableColumn("bytes", "bytes", "bytes"), TableColumn("saving", "saving\nlost", "cost"),
               TableColumn("reason", "reason", "text"))
    return ReportTable("deferred", title, columns, rows, shown=DEFERRED_SHOWN)


def _deferred_reasons(summary: Summary) -> ReportTable | None:
    rows = tuple(summary.deferred.by_reason.items())
    columns = (TableColumn("reason", "reason", "text"), TableColumn("pairs", "assets", "count"))
    return ReportTable("deferred_reasons", "Did not fit, by reason", columns, rows) if rows else None


def _appliances(summary: Summary) -> ReportTable:
    appliances = summary.appliances
    if len(appliances) > APPLIANCES_SHOWN:
        appliances = sorted(appliances, key=lambda one: (-one.added_bytes, one.appliance_id))
    rows = tuple((one.appliance_id, one.site_id, one.window_opens, one.window_closes, one.starts, one.ends,
                  one.removals, one.additions, one.kept, _whole(one.removed_bytes), _whole(one.added_bytes),
                  _whole(one.storage_bytes), _whole(one.stored_bytes), one.bytes_from) for one in appliances)
    columns = (
        TableColumn("appliance_id", "appliance", "text"), TableColumn("site_id", None, "text"),
        TableColumn("window_opens", "window\nopens", "moment"), TableColumn("window_closes", "\ncloses", "clock"),
        TableColumn("starts", "transfer\nstarts", "clock"), TableColumn("ends", "\nends", "clock"),
        TableColumn("removals", "out", "count", wide=True), TableColumn("additions", "in", "count", wide=True),
        TableColumn("kept", None, "count"),
        TableColumn("removed_bytes", None, "bytes"), TableColumn("added_bytes", "bytes in", "bytes"),
        TableColumn("storage_bytes", None, "bytes"), TableColumn("stored_bytes", None, "bytes"),
        TableColumn("bytes_from", "from", "sources"))
    return ReportTable("appliances", "Fill schedule per appliance (UTC)", columns, rows, shown=APPLIANCES_SHOWN)


TABLES: tuple[Callable[[Summary], ReportTable | None], ...] = (
    _strategies, _regions, _sites, _deferred, _deferred_reasons, _appliances)


def columns_shown(table: ReportTable) -> list[tuple[int, TableColumn]]:
    """The columns people get, with their position in a row."""
    return [(k, column) for k, column in enumerate(table.columns) if column.heading is not None]


def one_line(heading: str | None) -> str:
    """A heading where columns are wide enough."""
    return " ".join((heading or "").split())


def cells_shown(table: ReportTable, row: tuple[Cell, ...]) -> list[str]:
    """A row's texts for people, in the order of ``columns_shown``; not escaped for any format."""
    return [format_cell(column.kind, row[k]) for k, column in columns_shown(table)]


def count_of(number: int, noun: str) -> str:
    """``count_of(2, "asset") == "2 assets"``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _share(value: float | None, of: float | None) -> float | None:
    return value / of if value is not None and of else None


def _whole(value: Any) -> Any:
    """Counts of bytes are whole; the summary may hold them as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""A run folder: a plan folder with the night around it, and the reader of what the reports print.

    summary.json   the night in plain numbers by id       run.json      digests of the inputs, parameters, versions
    timings.json   seconds per stage                      quarantine.csv   log rows that were left out
    replay.json, replay_hours.csv, replay_links.csv, replay_classes.csv (where the planned day has passed)
"""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from cdn.errors import DataError
from cdn.files.topologies import parse_record

SUMMARY_FILE, MANIFEST_FILE, TIMINGS_FILE = "summary.json", "run.json", "timings.json"
QUARANTINE_FILE = "quarantine.csv"
REGION_OFFLOAD = "offload_"
Time = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]


class _Record(BaseModel):
    # Later versions may write more; a report of what it knows is better than none.
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)


class SweepingRecord(_Record):
    client_days: int = Field(ge=0)
    requests: int = Field(ge=0)
    requests_with_session: int = Field(ge=0)


class LogRecord(_Record):
    rows_read: int = Field(ge=0)
    quarantined: dict[str, int]
    duplicates: int = Field(ge=0)
    sweeping_left_out: SweepingRecord | None = None


class ForecastRecord(_Record):
    entries: int = Field(ge=0)
    requests: float = Field(ge=0)
    bytes: float = Field(ge=0)
    true_requests: int | None = None
    true_bytes: int | None = None
    wape: float | None = None
    wape_regions: float | None = None


class PlacementRecord(_Record):
    method: str
    status: str
    reason: str
    cost: float
    delivery_cost: float
    fill_cost: float
    lower_bound: float | None
    solver_bound: float | None
    gap: float | None
    expected_offload: float
    stored_pairs: int = Field(ge=0)
    violations: list[str]


class SiteRecord(_Record):
    site_id: str
    kind: str
    storage_bytes: float = Field(ge=0)
    pinned_storage_bytes: float = Field(ge=0)
    stored_bytes: float = Field(ge=0)
    added_bytes: float = Field(ge=0)
    removed_bytes: float = Field(ge=0)
    additions: float = Field(ge=0)
    removals: float = Field(ge=0)
    deferred_bytes: float = Field(ge=0)
    storage_price_per_byte: float | None
    served_bytes: int | None
    peak_bps: float | None
    egress_bps: float | None


class ApplianceRecord(_Record):
    appliance_id: str
    site_id: str
    storage_bytes: float = Field(ge=0)
    stored_bytes: float = Field(ge=0)
    window_opens: Time | None
    window_closes: Time | None
    starts: Time | None
    ends: Time | None
    removals: int = Field(ge=0)
    additions: int = Field(ge=0)
    removed_bytes: float = Field(ge=0)
    added_bytes: float = Field(ge=0)
    kept: int = Field(ge=0)
    bytes_from: dict[str, float]


class DeferredPairRecord(_Record):
    site_id: str
    asset_id: str
    bytes: float = Field(ge=0)
    saving: float
    reason: str


class DeferredRecord(_Record):
    pairs: int = Field(ge=0)
    bytes: float = Field(ge=0)
    saving: float
    by_reason: dict[str, int]
    most_valuable: list[DeferredPairRecord]


class StrategyRecord(_Record):
    offload: float
    request_hit_ratio: float
    delivery_cost: float
    origin_bytes: int = Field(ge=0)
    midgress_bytes: int = Field(ge=0)


class ClairvoyantRecord(_Record):
    cost: float
    lower_bound: float | None
    gap: float | None


class RegionRecord(_Record):
    """One region's replay; ``offload_NAME`` is its offload under the strategy of that name, null without bytes."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, frozen=True)
    __pydantic_extra__: dict[str, float | None] = Field(init=False)

    region_id: str
    requests: int = Field(ge=0)
    bytes: float = Field(ge=0)

    def offload(self, strategy: str | None) -> float | None:
        """Offload under a strategy; None where the region asked for nothing or the strategy was not replayed."""
        return (self.__pydantic_extra__ or {}).get(f"{REGION_OFFLOAD}{strategy}")


class ReplayRecord(_Record):
    plan: str
    requests: int = Field(ge=0)
    bytes: float = Field(ge=0)
    strategies: dict[str, StrategyRecord]
    offload_regret: float | None
    cost_regret: float | None
    clairvoyant: ClairvoyantRecord | None
    regions: list[RegionRecord]


class Summary(_Record):
    """``summary.json``: what ``cdn nightly`` found, planned and replayed. ``replay`` None: the day has not passed."""

    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    logs: dict[str, LogRecord]
    forecast: ForecastRecord
    placement: PlacementRecord
    sites: list[SiteRecord]
    appliances: list[ApplianceRecord]
    deferred: DeferredRecord
    replay: ReplayRecord | None


class _Timings(RootModel[dict[str, float]]):
    model_config = ConfigDict(allow_inf_nan=False)


def read_summary(run: Path) -> Summary:
    """The run's summary. Raises DataError where it is missing, torn, or lacks something, naming where."""
    path = run / SUMMARY_FILE
    summary: Summary = parse_record(path, _load_json(path), Summary)
    if summary.replay is not None and summary.replay.plan not in summary.replay.strategies:
        raise DataError.of_file(path, f"replay.plan among {sorted(summary.replay.strategies)}", summary.replay.plan)
    return summary


def read_timings(run: Path) -> dict[str, float]:
    """Seconds per stage in the order they were run; empty where the run has none. Raises DataError where torn."""
    path = run / TIMINGS_FILE
    if not path.is_file():
        return {}
    timings: _Timings = parse_record(path, _load_json(path), _Timings)
    return timings.root


def _load_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError.of_file(path, f"a readable JSON file of a run ({error})") from error

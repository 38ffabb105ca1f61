"""The nightly configuration (TOML), validated; paths are relative to the file they stand in."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cdn.caching import REACTIVE_POLICIES, choose_policy
from cdn.errors import CdnError, DataError, Fault
from cdn.files.topologies import load_toml, parse_record
from cdn.forecasting.forecasters import FOLLOW_CALENDAR, FORECASTERS
from cdn.forecasting.levels import LEVELS
from cdn.logs.sweeping import DISTINCT_ASSETS
from cdn.placement import AUTO, PLACERS
from cdn.placement.robust import parse_robust


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InputsRecord(_Section):
    topology: str = Field(description="topology file")
    catalog: str = Field(description="catalog file")
    history: list[str] = Field(min_length=1, description="request logs or log stores the forecast is made from")
    stored_now: str | None = Field(None, description="what the appliances store now; without it they are empty")
    calendar: str | None = Field(None, description="holidays and promotions known in advance")
    last_night: str | None = Field(
        None, description="folder of an earlier run or plan: decomposition starts from its prices"
    )
    replay: list[str] = Field(
        [], description="request logs of the planned day, if it has passed; without them no replay"
    )


class ForecastRecord(_Section):
    method: str = Field("ensemble", description="forecaster")
    level: str = Field("file", description="what is forecast: every file, or titles, split over their files")
    history_days: int = Field(14, ge=1, description="days before the planned day that are looked at")
    parameters: dict[str, Any] = Field({}, description="parameters of the forecaster")
    exclude_sweeping: bool = Field(False, description="leave out the requests of sweeping clients in the history")
    sweeping_assets: int = Field(
        DISTINCT_ASSETS, ge=1, description="a client with more distinct assets in a UTC day sweeps"
    )


class PlacementRecord(_Section):
    method: str = Field("lp", description="placer")
    gap: float | None = Field(
        None, ge=0, le=1, description="certified gap that is good enough; mip stops at 0.005 unless told otherwise"
    )
    time_limit_s: float | None = Field(None, gt=0, description="time limit of each solve")
    reactive_share: float = Field(0.0, ge=0, lt=1, description="share of each cache left to the reactive policy")
    fill_days: float = Field(7.0, ge=1, description="days a filled copy is expected to serve: spreads its fill cost")
    robust: str | None = Field(None, description="rule to place for more than what is expected, such as scenarios:8")
    seed: int = Field(0, ge=0, description="seed of the scenarios")
    reactive_policy: str = Field("lru", description="policy of the reactive share, with parameters where wanted")


class ReplayRecord(_Section):
    policies: list[str] = Field(["lru", "lfu", "fifo"], description="reactive caches to compare with")
    baselines: list[Literal["popularity", "pinned"]] = Field(
        ["popularity", "pinned"], description="placements to compare with, from the same forecast"
    )
    clairvoyant: bool = Field(True, description="also place with the day's true demand, for the regret")


class OutputRecord(_Section):
    runs: str = Field("runs", description="folder that gets one folder per night")


class ConfigRecord(_Section):
    day: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="UTC day planned for; without it the day after the newest request of the history",
    )
    inputs: InputsRecord
    forecast: ForecastRecord = ForecastRecord()
    placement: PlacementRecord = PlacementRecord()
    replay: ReplayRecord = ReplayRecord()
    output: OutputRecord = OutputRecord()


@dataclass(frozen=True)
class NightlyConfig:
    """A validated configuration and the folder its paths start from."""

    record: ConfigRecord
    folder: Path

    def path(self, name: str) -> Path:
        """A path of the configuration as seen from here."""
        return self.folder / name

    @property
    def day(self) -> pd.Timestamp | None:
        return None if self.record.day is None else pd.Timestamp(self.record.day)


def read_config(path: Path) -> NightlyConfig:
    """Reads and validates a configuration. Raises DataError with every fault and the known names."""
    path = Path(path)
    record: ConfigRecord = parse_record(path, load_toml(path), ConfigRecord)
    named: list[tuple[str, str | None, str, Collection[str]]] = [
        ("forecast", "method", record.forecast.method, FORECASTERS),
        ("forecast", "level", record.forecast.level, LEVELS),
        ("placement", "method", record.placement.method, (AUTO, *PLACERS)),
    ]
    faults = [
        Fault(str(path), section, key, value, "one of " + ", ".join(sorted(known)))
        for section, key, value, known in named
        if value not in known
    ]
    faults += _policy_faults(path, record)
    if record.inputs.calendar is not None and record.forecast.method not in FOLLOW_CALENDAR:
        expected = f"one that looks at the calendar: {', '.join(FOLLOW_CALENDAR)}"
        faults.append(Fault(str(path), "forecast", "method", record.forecast.method, expected))
    if record.placement.robust is not None:
        try:
            parse_robust(record.placement.robust)
        except CdnError as error:
            faults.append(Fault(str(path), "placement", "robust", record.placement.robust, f"a rule ({error})"))
    if record.day is not None and pd.isna(pd.to_datetime(record.day, errors="coerce")):
        faults.append(Fault(str(path), None, "day", record.day, "a day of the calendar"))
    if faults:
        raise DataError(faults)
    return NightlyConfig(record, path.parent)


def _policy_faults(path: Path, record: ConfigRecord) -> list[Fault]:
    """Policies of the wrong name, or with parameters that they cannot have."""
    places: list[tuple[str, str | None, str]] = [("placement", "reactive_policy", record.placement.reactive_policy)]
    places += [(f"replay.policies[{k}]", None, policy) for k, policy in enumerate(record.replay.policies, 1)]
    faults = []
    for section, key, policy in places:
        if policy.split(":")[0].strip() not in REACTIVE_POLICIES:
            faults.append(Fault(str(path), section, key, policy, "one of " + ", ".join(sorted(REACTIVE_POLICIES))))
            continue
        try:
            choose_policy(policy)
        except CdnError as error:
            faults.append(Fault(str(path), section, key, policy, f"a policy's parameters ({error})"))
    return faults

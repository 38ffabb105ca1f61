"""The scenarios file (TOML): ``[[scenarios]]`` with a name and ``[[scenarios.changes]]``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cdn.errors import DataError, Fault, UnknownNameError
from cdn.files.topologies import load_toml, parse_record
from cdn.model.problem import Problem
from cdn.scenarios.changes import CHANGES


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoseSiteRecord(_Change):
    change: Literal["lose_site"]
    site: str = Field(description="edge or mid site that is lost")


class ScaleStorageRecord(_Change):
    change: Literal["scale_storage"]
    factor: float = Field(ge=0, allow_inf_nan=False, description="storage is multiplied by it")
    sites: list[str] | None = Field(None, description="at these sites; without it at all")


class ScaleDemandRecord(_Change):
    change: Literal["scale_demand"]
    factor: float = Field(ge=0, allow_inf_nan=False, description="demand is multiplied by it")
    regions: list[str] | None = Field(None, description="in these regions; without it in all")


class LaunchRecord(_Change):
    change: Literal["launch"]
    asset: str = Field(min_length=1, description="id of the new asset")
    size_gb: float = Field(gt=0, allow_inf_nan=False, description="its size")
    requests: float = Field(ge=0, allow_inf_nan=False, description="requests a day, all regions together")
    regions: list[str] | None = Field(None, description="where it launches; without it everywhere")


ChangeRecord = Annotated[
    LoseSiteRecord | ScaleStorageRecord | ScaleDemandRecord | LaunchRecord, Field(discriminator="change")
]


class ScenarioRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    changes: list[ChangeRecord] = Field(min_length=1)


class ScenariosRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")
    scenarios: list[ScenarioRecord] = Field(min_length=1)


@dataclass(frozen=True)
class Scenario:
    """A name and the changes in order; each is (name in CHANGES, its parameters)."""

    name: str
    changes: tuple[tuple[str, tuple[tuple[str, object], ...]], ...]

    def apply(self, problem: Problem) -> Problem:
        """The changed problem. Raises ValueError or UnknownNameError where a change does not fit the problem."""
        for change, parameters in self.changes:
            problem = CHANGES[change](problem, **dict(parameters))
        return problem


def read_scenarios(path: Path) -> list[Scenario]:
    """Reads and validates a scenarios file. Raises DataError."""
    record: ScenariosRecord = parse_record(path, load_toml(Path(path)), ScenariosRecord)
    scenarios = [Scenario(one.name, tuple(_change(change) for change in one.changes)) for one in record.scenarios]
    names = [scenario.name for scenario in scenarios]
    twice = [
        Fault(str(path), f"scenarios[{k}]", "name", name, "a name that stands once")
        for k, name in enumerate(names, 1)
        if name in names[: k - 1]
    ]
    if twice:
        raise DataError(twice)
    return scenarios


def _change(record: _Change) -> tuple[str, tuple[tuple[str, object], ...]]:
    values = record.model_dump(exclude_none=True)
    return values.pop("change"), tuple(values.items())


def apply_checked(scenarios: Sequence[Scenario], problem: Problem, path: Path) -> list[Problem]:
    """Every scenario's problem. Raises DataError naming the scenarios that do not fit."""
    changed, faults = [], []
    for k, scenario in enumerate(scenarios, 1):
        try:
            changed.append(scenario.apply(problem))
        except (ValueError, UnknownNameError) as error:
            faults.append(
                Fault(str(path), f"scenarios[{k}]", None, scenario.name, f"changes that fit the run ({error})")
            )
    if faults:
        raise DataError(faults)
    return changed

"""Options that several verbs share, and how they print: results to stdout, progress and logs to stderr."""

import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import pandas as pd
from rich.console import Console

from cdn.errors import CdnError, UnknownNameError
from cdn.logs.sweeping import DISTINCT_ASSETS, SweepingClients
from cdn.placement.robust import parse_robust
from cdn.units import format_share

FIRST_YEAR = 1971
PATH = click.Path(path_type=Path)

topology_option = click.option("--topology", "topology_path", type=PATH, required=True, help="Topology file (TOML).")
catalog_option = click.option(
    "--catalog", "catalog_path", type=PATH, required=True, help="Catalog file (CSV or Parquet)."
)
demand_option = click.option("--demand", "demand_path", type=PATH, required=True, help="Demand file (CSV or Parquet).")
stored_option = click.option(
    "--stored", "stored_path", type=PATH, default=None, help="What the appliances store now; without it they are empty."
)
out_option = click.option("--out", "out_path", type=PATH, required=True, help="Where the result is written.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
sweeping_option = click.option(
    "--sweeping-assets", type=click.IntRange(min=1), default=DISTINCT_ASSETS, show_default=True,
    help="A client (session_id) with more distinct assets in a UTC day sweeps.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress on stderr.")


class NamesParam(click.ParamType):
    """Names of one kind joined by commas; each counts once."""

    name = "names"

    def __init__(self, kind: str, known: Iterable[str]):
        self.kind, self.known = kind, tuple(known)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        for name in names:
            if name not in self.known:
                raise UnknownNameError(self.kind, name, self.known)
        return names


class FiniteRange(click.FloatRange):
    """A number of a range; ``nan`` is in every range and ``inf`` in those without an end, but neither is a number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class RobustParam(click.ParamType):
    """A rule of ``ROBUST`` with its value."""

    name = "rule:value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parse_robust(str(value))
        except CdnError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class DayParam(click.ParamType):
    """A UTC day such as 2012-12-28."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> pd.Timestamp:
        if isinstance(value, pd.Timestamp):
            return value
        is_written_out = re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)) is not None
        day = pd.to_datetime(value, format="%Y-%m-%d", errors="coerce") if is_written_out else pd.NaT
        # Fill windows of the nights before have to be days of the calendar as well.
        if pd.isna(day) or day.year < FIRST_YEAR:
            self.fail(f"{value!r} is not a day such as 2012-12-28", param, ctx)
        return pd.Timestamp(day)


def stdout_console() -> Console:
    """Where tables go; 100 columns where stdout is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=100)


def stderr_console(quiet: bool) -> Console:
    """Where progress goes."""
    return Console(stderr=True, quiet=quiet, highlight=False)


def print_result(as_json: bool, payload: dict[str, Any], show: Callable[[Console], None]) -> None:
    """One JSON object where a machine reads, else what ``show`` prints."""
    if as_json:
        click.echo(json.dumps(payload, sort_keys=True, allow_nan=False))
    else:
        show(stdout_console())


def sweeping_words(sweeping: SweepingClients, left_out: bool) -> str:
    """What there is to say of sweeping clients."""
    if not sweeping.with_session:
        return "no session_id: sweeping clients cannot be told"
    share = format_share(sweeping.swept_requests / sweeping.requests)
    return (f"{len(sweeping.rows):,} client days with more than {sweeping.distinct_assets} distinct assets: "
            f"{sweeping.swept_requests:,} requests ({share}), {'left out' if left_out else 'kept'}")

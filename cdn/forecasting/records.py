"""What a forecast was made from, beside the demand file (``NAME.forecast.json``): enough to make it again."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cdn
from cdn.files.writing import digest_of
from cdn.forecasting.ensemble import experts_of
from cdn.forecasting.forecasters import parameters_of
from cdn.forecasting.history import History
from cdn.forecasting.thin_days import thin_days


def record_path(demand_path: Path | str) -> Path:
    """The record that belongs to a demand file."""
    return Path(demand_path).with_suffix(".forecast.json")


def forecast_record(history: History, day: pd.Timestamp, method: str, parameters: dict[str, Any],
                    inputs: Mapping[str, Sequence[Path | str]], level: str = "file") -> dict[str, Any]:
    """Ready for JSON: method, level (one of LEVELS), all its parameters (the seed among them), SHA-256 digests of the
    input files and of what was counted in them, days observed, missing and thin (left out). ``inputs``: what each is ->
    its files (of folders all)."""
    given = parameters_of(method) | parameters
    used: dict[str, Any] = {name: value for name, value in given.items() if not callable(value)}
    if method == "ensemble":
        used["experts"] = list(experts_of(used["trees"]))
    return {
        "version": cdn.__version__,
        "day": f"{day:%Y-%m-%d}",
        "method": method,
        "level": level,
        "parameters": {name: value for name, value in used.items() if not isinstance(value, dict)},
        "inputs": {what: {str(file): digest_of(file) for path in paths for file in _files(Path(path))}
                   for what, paths in inputs.items()},
        "history": {"first_day": str(np.datetime64(history.first_day, "D")), "digest": history_digest(history),
                    "days_observed": int(history.observed.sum()), "days_missing": int((~history.observed).sum()),
                    "days_thin": len(thin_days(history))},
    }


def history_digest(history: History) -> str:
    """SHA-256 of the history's counts, whatever files they came from."""
    digest = hashlib.sha256(np.int64(history.first_day).tobytes())
    for ids in (history.region_index.ids, history.asset_index.ids):
        digest.update("\n".join(ids).encode())
    for name in ("observed", "day", "region", "asset", "requests", "bytes"):
        digest.update(getattr(history, name).data)
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]

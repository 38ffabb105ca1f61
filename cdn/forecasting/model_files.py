"""Trained trees as files: LightGBM's own text, and what they are in JSON. Never anything that runs when it is read."""

import json
from pathlib import Path

from cdn.errors import DataError
from cdn.files.writing import staged_folder, write_json, write_text
from cdn.forecasting.features import NAMES
from cdn.forecasting.gradient_boosting import BoostedModels

MODEL_FILE = "model.json"
_PARTS = ("mean", "low", "high")


def write_models(models: BoostedModels, folder: Path | str, record: dict) -> None:
    """Writes ``mean.txt``, ``low.txt``, ``high.txt`` (those there are) and ``model.json``: features, ``wider`` and
    ``record`` (the inputs, parameters and seed), whole or not at all."""
    with staged_folder(folder) as stage:
        for part in _PARTS:
            if getattr(models, part):
                write_text(stage / f"{part}.txt", getattr(models, part))
        write_json(stage / MODEL_FILE, {"features": list(NAMES), "parts": [p for p in _PARTS if getattr(models, p)],
                                        "wider": list(models.wider),
                                        "made_from": record})


def read_models(folder: Path | str) -> BoostedModels:
    """Reads them back. Raises DataError for a folder without models, or of models that know other features."""
    path = Path(folder) / MODEL_FILE
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        texts = {part: (path.parent / f"{part}.txt").read_text(encoding="utf-8") for part in described["parts"]}
        wider = tuple(float(value) for value in described["wider"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError.of_file(path, f"a model folder ({error})") from error
    if described.get("features") != list(NAMES):
        raise DataError.of_file(path, "models of the features " + ", ".join(NAMES))
    return BoostedModels(texts.get("mean", ""), texts.get("low"), texts.get("high"), wider)

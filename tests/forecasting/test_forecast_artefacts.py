"""What a forecast leaves behind: its record, and trained trees as text that gives the same forecast when read back."""

import json

import numpy as np
import pytest
from forecasting.simulated_histories import generated_day, history_of_counts
from forecasting.tiny_histories import day_of

from cdn.errors import DataError
from cdn.forecasting.gradient_boosting import fitted_models, forecast_of_models
from cdn.forecasting.model_files import MODEL_FILE, read_models, write_models
from cdn.forecasting.records import forecast_record, history_digest, record_path


def test_trees_written_and_read_forecast_the_same(tmp_path):
    pytest.importorskip("lightgbm")
    history, day, knowledge, _ = generated_day(1)
    models = fitted_models(history, day, knowledge, trees=20, sampled_rows=20_000)
    write_models(models, tmp_path / "trees", {"seed": 1})
    files = sorted(file.name for file in (tmp_path / "trees").iterdir())
    assert files == ["high.txt", "low.txt", "mean.txt", MODEL_FILE]
    again = read_models(tmp_path / "trees")
    assert again == models
    one, other = (forecast_of_models(these, history, day, knowledge) for these in (models, again))
    np.testing.assert_array_equal(one.requests, other.requests)
    np.testing.assert_array_equal(one.dispersion, other.dispersion)


def test_a_seed_of_its_own_gives_other_trees_and_the_same_seed_the_same():
    pytest.importorskip("lightgbm")
    history, day, knowledge, _ = generated_day(1)
    options = {"trees": 5, "sampled_rows": 4000}
    one, again, other = (fitted_models(history, day, knowledge, seed=seed, **options) for seed in (1, 1, 2))
    assert one == again and one.mean != other.mean


@pytest.mark.parametrize("text", [None, "{", '{"parts": ["mean"]}', '{"parts": [], "features": ["x"]}'])
def test_folders_that_are_no_models_are_refused(tmp_path, text):
    if text is not None:
        (tmp_path / MODEL_FILE).write_text(text)
    with pytest.raises(DataError, match=MODEL_FILE):
        read_models(tmp_path)


def test_the_record_names_method_parameters_seed_and_inputs(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.csv").write_text("x")
    history = history_of_counts(np.full((3, 2, 1), 4))
    record = forecast_record(history, day_of(history.until_day), "low_rank", {"factors": 3},
                             {"log": [tmp_path / "store"], "catalog": [tmp_path / "store" / "a.csv"]})
    assert json.loads(json.dumps(record)) == record
    assert (record["method"], record["parameters"]["factors"], record["parameters"]["seed"]) == ("low_rank", 3, 1)
    (digest,) = record["inputs"]["log"].values()
    assert digest == record["inputs"]["catalog"][str(tmp_path / "store" / "a.csv")]
    assert record["history"]["days_observed"] == 3 and record["history"]["digest"] == history_digest(history)
    assert history_digest(history_of_counts(np.full((3, 2, 1), 5))) != history_digest(history)
    assert record_path("runs/demand.parquet").name == "demand.forecast.json"

"""A sample on disk, the bundled one, and the command that writes it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from generator.sample_parameters import small

from cdn.cli.demand import demand
from cdn.errors import DataError
from cdn.files.catalogs import read_catalog
from cdn.files.contents import read_stored_now
from cdn.files.topologies import read_topology
from cdn.generator.calibration import FIGURES, releases_of
from cdn.generator.sample_files import generate_sample, write_requests
from cdn.generator.samples import concatenated, draw_sample
from cdn.logs.request_logs import read_request_log

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "demand" / "example"
PARAMETERS = """n_regions = 4
n_titles = 80
start_day = 2026-03-02
days = 3
held_out_days = 1
requests_per_day = 200
seed = 5
"""
LAYOUT = ["calibration.json", "catalog.csv", "held_out/requests-2026-03-04.parquet",
          "history/requests-2026-03-02.parquet", "history/requests-2026-03-03.parquet",
          "stored_now.csv", "topology.toml"]


@pytest.fixture
def parameters(tmp_path) -> Path:
    path = tmp_path / "p.toml"
    path.write_text(PARAMETERS, encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_files_and_that_the_same_seed_gives_the_same_bytes(parameters, tmp_path):
    days = []
    summary = generate_sample(parameters, tmp_path / "a", tell=days.append)
    generate_sample(parameters, tmp_path / "b")
    generate_sample(parameters, tmp_path / "c", seed=6)
    assert list(contents(tmp_path / "a")) == LAYOUT
    assert [day.isoformat() for day in days] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["catalog.csv"] != contents(tmp_path / "c")["catalog.csv"]
    assert (summary.assets, summary.regions, summary.days, summary.seed) == (80, 4, 3, 5)


def test_what_is_written_is_what_was_drawn(parameters, tmp_path):
    generate_sample(parameters, tmp_path / "s")
    sample = draw_sample(small(n_regions=4, n_titles=80, days=3, held_out_days=1, requests_per_day=200.0),
                         np.random.default_rng(5))
    drawn = concatenated([log for _, log in sample.draw_days()])
    catalog = read_catalog(tmp_path / "s" / "catalog.csv")
    topology = read_topology(tmp_path / "s" / "topology.toml")
    stores = [tmp_path / "s" / "history", tmp_path / "s" / "held_out"]
    log, quarantine = read_request_log(stores, topology.region_index, catalog.asset_index)
    assert (quarantine.rows_read, quarantine.bad_rows) == (len(drawn), 0)
    for name in ("time_us", "region", "asset", "bytes"):
        assert getattr(log, name).tolist() == getattr(drawn, name).tolist()
    assert catalog.asset_index == sample.catalog.asset_index
    assert catalog.size_bytes.tolist() == sample.catalog.size_bytes.tolist()
    read_stored_now(tmp_path / "s" / "stored_now.csv", topology, catalog.asset_index)
    for name in ("kind", "series_id", "genres", "release_date"):
        assert list(catalog.attributes[name]) == list(sample.catalog.attributes[name]), name
    for read, drew in zip(releases_of(catalog), releases_of(sample.catalog), strict=True):
        assert read.tolist() == drew.tolist()


def test_an_empty_day_is_written_and_has_no_rows(tmp_path):
    sample = draw_sample(small(), np.random.default_rng(0))
    log = sample.draw_day(0)
    write_requests(log.select(np.zeros(len(log), dtype=bool)), tmp_path / "r.parquet")
    frame = pd.read_parquet(tmp_path / "r.parquet")
    assert list(frame.columns) == ["time", "region_id", "asset_id", "bytes"]
    assert len(frame) == 0


def test_pages_and_settings_beside_a_sample_stay(parameters, tmp_path):
    generate_sample(parameters, tmp_path / "s", seed=1)
    (tmp_path / "s" / "nightly.toml").write_text("kept", encoding="utf-8")
    generate_sample(parameters, tmp_path / "s", seed=2)
    generate_sample(parameters, tmp_path / "t", seed=2)
    found = contents(tmp_path / "s")
    assert found.pop("nightly.toml") == b"kept"
    assert found == contents(tmp_path / "t")


@pytest.mark.parametrize("stranger", ["photo.jpg", "history/notes.txt", "runs/2026/x.json", ".git/config"])
def test_a_folder_with_anything_else_is_left_alone(parameters, tmp_path, stranger):
    out = tmp_path / "s"
    (out / stranger).parent.mkdir(parents=True)
    (out / stranger).write_text("mine", encoding="utf-8")
    before = contents(out)
    with pytest.raises(DataError, match="a new folder"):
        generate_sample(parameters, out)
    assert contents(out) == before


def test_a_failure_leaves_the_earlier_sample_whole(parameters, tmp_path, monkeypatch):
    generate_sample(parameters, tmp_path / "s")
    before = contents(tmp_path / "s")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("cdn.generator.sample_files.write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        generate_sample(parameters, tmp_path / "s", seed=9)
    assert contents(tmp_path / "s") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.toml", "s"]


def test_regions_that_nobody_lives_in_are_refused(tmp_path):
    text = (ROOT / "topologies" / "example.toml").read_text(encoding="utf-8")
    lines = ["weight = 0" if line.startswith("weight") else line for line in text.splitlines()]
    (tmp_path / "t.toml").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "p.toml").write_text(PARAMETERS.replace("n_regions = 4", 'topology = "t.toml"'), encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.toml.*nobody asks"):
        generate_sample(tmp_path / "p.toml", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_the_bundled_example_is_what_its_parameters_give(tmp_path):
    """Contents, not bytes: libraries of other versions may compress differently."""
    shutil.copytree(ROOT / "topologies", tmp_path / "topologies")
    (tmp_path / "demand").mkdir()
    shutil.copy(EXAMPLE.with_suffix(".toml"), tmp_path / "demand")
    made = tmp_path / "demand" / "example"
    generate_sample(tmp_path / "demand" / "example.toml", made)
    bundled = {str(f.relative_to(EXAMPLE)) for f in EXAMPLE.rglob("*") if f.is_file() and f.suffix != ".toml"}
    assert bundled == set(contents(made))
    for name in bundled:
        if name.endswith(".parquet"):
            pd.testing.assert_frame_equal(pd.read_parquet(made / name), pd.read_parquet(EXAMPLE / name))
        else:
            assert (made / name).read_text(encoding="utf-8") == (EXAMPLE / name).read_text(encoding="utf-8"), name


def test_the_bundled_example_is_small_and_its_stored_content_fits():
    files = [*(ROOT / "demand").rglob("*"), *(ROOT / "topologies").rglob("*")]
    assert sum(file.stat().st_size for file in files if file.is_file()) < 3_000_000
    topology = read_topology(ROOT / "topologies" / "example.toml")
    catalog = read_catalog(EXAMPLE / "catalog.csv")
    stored = read_stored_now(EXAMPLE / "stored_now.csv", topology, catalog.asset_index)
    used = np.bincount(stored.appliance, weights=catalog.size_bytes[stored.asset], minlength=len(topology.appliances))
    storage = np.array([appliance.storage_bytes for appliance in topology.appliances])
    assert (used <= storage).all()
    assert (used > 0.9 * storage).all()


def test_json_is_one_object_and_quiet_is_quiet(parameters, tmp_path):
    run = CliRunner().invoke(demand, ["generate", str(parameters), "--out", str(tmp_path / "s"), "--json", "--quiet"])
    assert run.exit_code == 0
    result = json.loads(run.stdout)
    assert run.stderr == ""
    assert result["seed"] == 5 and result["assets"] == 80
    assert set(result["figures"]) == set(FIGURES)
    assert result["figures"] == json.loads((tmp_path / "s" / "calibration.json").read_text(encoding="utf-8"))


def test_people_see_figures_on_stdout_and_progress_on_stderr(parameters, tmp_path):
    out = tmp_path / "[red]s"
    run = CliRunner().invoke(demand, ["generate", str(parameters), "--out", str(out), "--seed", "7"])
    assert run.exit_code == 0
    assert "[red]s" in run.stdout.replace("\n", "") and "seed 7" in run.stdout.replace("\n", " ")
    assert all(name in run.stdout for name in FIGURES)
    assert run.stderr.splitlines() == [f"drew 2026-03-0{k}" for k in (2, 3, 4)]


def test_a_bad_parameter_file_is_a_message_and_writes_nothing(parameters, tmp_path):
    parameters.write_text(PARAMETERS.replace("= 80", "= -1"), encoding="utf-8")
    run = CliRunner().invoke(demand, ["generate", str(parameters), "--out", str(tmp_path / "s")])
    assert isinstance(run.exception, DataError)
    assert "n_titles" in str(run.exception)
    assert not (tmp_path / "s").exists()

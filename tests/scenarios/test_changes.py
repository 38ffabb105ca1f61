"""Changes on the hand-worked network, and that none of them writes into its input."""

import numpy as np
import pytest
from instances import problem_of, two_edges_one_mid

from cdn.errors import DataError, UnknownNameError
from cdn.evaluation import evaluate
from cdn.model.placement import Placement
from cdn.model.site_assets import SiteAssets
from cdn.planning import plan_placement
from cdn.scenarios import CHANGES, compare_scenarios, read_scenarios
from cdn.scenarios.changes import launch, lose_site, scale_demand, scale_storage
from cdn.scenarios.files import apply_checked


@pytest.fixture
def problem():
    """r1 asks 100 bytes of x, r2 50 of x and 20 of y; every cache holds one asset of 10."""
    return problem_of(two_edges_one_mid(), {"x": 10, "y": 10}, [("r1", "x", 100), ("r2", "x", 50), ("r2", "y", 20)])


def test_a_lost_site_serves_nobody(problem):
    """Before: x at e1 and at e2, y at the mid (20 * 1): 20. Without e2: x at e1, and at the mid x (50 * 1 and y
    20 * 4 = 130) or y (50 * 2 over e1, and 20 * 1 = 120): y."""
    assert plan_placement(problem, "mip", gap=0.0).evaluation.cost == 20
    lost = plan_placement(lose_site(problem, "e2"), "mip", gap=0.0)
    assert lost.evaluation.cost == 120
    assert (lost.placement.stored.site != 1).all()


def test_the_origin_cannot_be_lost(problem):
    with pytest.raises(ValueError, match="origin"):
        lose_site(problem, "o")
    with pytest.raises(UnknownNameError, match="known: e1, e2, m, o"):
        lose_site(problem, "e9")


def test_storage_and_demand_scale(problem):
    assert scale_storage(problem, 1.55, ["e1"]).storage_bytes.tolist() == [15, 10, 10]
    assert scale_storage(problem, 2).storage_bytes.tolist() == [20, 20, 20]
    doubled = scale_demand(problem, 2, ["r2"]).demand
    assert doubled.total_bytes == 100 + 2 * 70
    assert doubled.peak_bps.sum() == pytest.approx(240 * 8 / 86400)


def test_a_launch_adds_an_asset_with_its_demand(problem):
    """17 requests of 1e-8 GB = 10 bytes, shared 100 : 70 over r1 and r2: 10 and 7 requests, 100 and 70 bytes."""
    launched = launch(problem, "new", 1e-8, 17)
    entries = slice(*launched.demand.indptr[2:4])
    assert launched.asset_index.id_of(2) == "new" and launched.size_bytes[2] == 10
    assert launched.demand.requests[entries] == pytest.approx([10, 7])
    assert launched.demand.bytes[entries] == pytest.approx([100, 70])
    assert launched.demand.peak_bps[entries] == pytest.approx(np.array([100, 70]) * 8 / 86400)
    with pytest.raises(ValueError, match="already"):
        launch(launched, "new", 1, 1)


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        ("lose_site", {"site": "e1"}),
        ("scale_storage", {"factor": 0.5}),
        ("scale_demand", {"factor": 3.0}),
        ("launch", {"asset": "n", "size_gb": 1.0, "requests": 5.0}),
    ],
)
def test_no_change_writes_into_its_input(problem, change, parameters):
    held = Placement(SiteAssets.from_pairs([0], [0], 2))
    before = evaluate(problem, held).cost
    CHANGES[change](problem, **parameters)
    assert evaluate(problem, held).cost == before
    assert set(CHANGES) == {"lose_site", "scale_storage", "scale_demand", "launch"}


def test_before_and_after(problem):
    """Left alone, the loss of e2 sends r2's x to e1 at 2 a byte: 100 + y at the mid 20 = 120; it cannot get better."""
    base = plan_placement(problem, "mip", gap=0.0)
    rows = compare_scenarios(problem, base.placement, [("no e2", lose_site(problem, "e2"))], "mip", gap=0.0)
    assert [(row.scenario, row.plan, row.cost) for row in rows] == [
        ("run", "as planned", 20),
        ("no e2", "left alone", 120),
        ("no e2", "planned again", 120),
    ]


def test_a_scenarios_file(problem, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(
        '[[scenarios]]\nname = "a"\n[[scenarios.changes]]\nchange = "lose_site"\nsite = "e2"\n'
        '[[scenarios.changes]]\nchange = "scale_storage"\nfactor = 2\n'
    )
    (scenario,) = read_scenarios(path)
    assert scenario.apply(problem).storage_bytes.tolist() == [20, 0, 20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenarios = []", "scenarios"),
        ('[[scenarios]]\nname = "a"\nchanges = [{change = "explode"}]', "explode"),
        ('[[scenarios]]\nname = "a"\nchanges = [{change = "scale_storage", factor = -1}]', "factor: got -1"),
        ('[[scenarios]]\nname = "a"\nchanges = [{change = "lose_site"}]', "site: expected a value"),
    ],
)
def test_bad_scenarios_files_are_refused_with_their_place(tmp_path, text, message):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_scenarios(path)
    assert message in str(error.value) and "s.toml" in str(error.value)


def test_a_scenario_that_does_not_fit_the_run_is_named(problem, tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('[[scenarios]]\nname = "a"\nchanges = [{change = "lose_site", site = "nowhere"}]')
    with pytest.raises(DataError, match=r"scenarios\[1\].*nowhere"):
        apply_checked(read_scenarios(path), problem, path)

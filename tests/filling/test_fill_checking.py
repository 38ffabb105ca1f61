"""The checker: sound plans pass, every altered row is caught, and it borrows nothing from the planner."""

import ast
from pathlib import Path

import numpy as np
import pytest
from filling.fill_instances import MEGABIT_BYTES, Night, altered_plans, nights
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import cdn.filling
from cdn.filling import check_fill_plan
from cdn.filling.replays import needed_us
from cdn.filling.results import NO_TIME
from cdn.model.fill_plan import FillPlan, StoredNow
from cdn.model.site_assets import SiteAssets

PLANNERS = {"planner", "differences", "schedules", "sources", "windows", "results"}


def busy_night() -> Night:
    """peer is worth more than new at s, as t has new, too. i removes banned as its window opens, and spare (j has it,
    too) and old before peer (25 s); new goes to j, where it ends sooner. k takes new from s, which is nearer than the
    origin; late (100 s) would end at second 128 of its 120, so k keeps old."""
    return Night(["s", "t"], [("i", "s", 60, (600, 602)), ("j", "s", 40, (600, 601)), ("k", "t", 150, (605, 607))],
                 {"old": 20, "stay": 30, "new": 28, "peer": 25, "late": 100, "banned": 5, "spare": 10},
                 stored=[("i", "old"), ("i", "stay"), ("i", "banned"), ("j", "spare"), ("k", "old"), ("i", "spare")],
                 wanted=[("s", "stay"), ("s", "new"), ("s", "peer"), ("t", "new"), ("t", "late"), ("s", "spare")],
                 demand=[("new", 9e6), ("peer", 5e6), ("late", 1e6), ("stay", 4e6)],
                 links=[("s", "t", 0.2), ("s", "origin", 1.0)], excluded_sites={5: ("s",)})


def plan_of(*rows) -> FillPlan:
    """Rows (start, end, appliance, add, asset, source), times in seconds after the window opens at 1970-01-01."""
    start, end, appliance, add, asset, source = zip(*rows, strict=True) if rows else ((),) * 6
    start_us, end_us = (np.array(seconds, dtype=np.int64) * 1_000_000 for seconds in (start, end))
    return FillPlan(start_us, end_us, appliance, add, asset, source)


def test_the_busy_night_is_as_busy_as_it_says():
    night = busy_night()
    result = night.plan()
    assert night.faults(result.plan, stored_after=result.stored_after) == []
    assert [(*step[:3], step[5]) for step in night.steps(result.plan)] == [
        ("i", "remove", "banned", None), ("i", "remove", "spare", None), ("i", "remove", "old", None),
        ("i", "add", "peer", "origin"), ("j", "add", "new", "origin"), ("k", "add", "new", "s")]
    assert night.deferred(result) == [("t", "late", NO_TIME)]
    assert night.pairs(result.kept) == {("k", "old")}


def test_every_altered_row_is_caught():
    night = busy_night()
    result = night.plan()
    missed = [what for what, plan in altered_plans(result.plan, 3, len(night.catalog), 3)
              if not night.faults(plan, stored_after=result.stored_after)]
    assert missed == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(nights(), st.data())
def test_altered_rows_of_any_plan_are_caught(night, data):
    result = night.plan()
    assume(0 < len(result.plan) <= 12)
    topology = night.topology
    plans = list(altered_plans(result.plan, len(topology.appliances), len(night.catalog), len(topology.sites)))
    for k in data.draw(st.lists(st.integers(0, len(plans) - 1), min_size=5, max_size=5, unique=True)):
        what, plan = plans[k]
        assert night.faults(plan, stored_after=result.stored_after), what


RULES = [
    # Rows (start, end, appliance, add, asset, source) from the opening; i stores 10 and holds a (6), wanted is b (5).
    ("storage", [(0, 5, 0, True, 1, 1)]),
    ("late", [(0, 0, 0, False, 0, -1), (1, 6, 0, True, 1, 1)]),
    ("in turn", [(0, 0, 0, False, 0, -1), (1, 6, 0, True, 1, 1)]),
    ("rate", [(0, 0, 0, False, 0, -1), (0, 4, 0, True, 1, 1)]),
    ("window", [(-9, -9, 0, False, 0, -1), (-9, -4, 0, True, 1, 1)]),
    ("window", [(56, 56, 0, False, 0, -1), (56, 61, 0, True, 1, 1)]),
    ("order", [(0, 5, 0, True, 1, 1), (-1, -1, 0, False, 0, -1)]),
    ("order", [(0, 1, 0, False, 0, -1), (0, 5, 0, True, 1, 1)]),
    ("there", [(0, 0, 0, False, 1, -1)]),
    ("there", [(0, 0, 0, False, 0, -1), (0, 0, 0, False, 0, -1)]),
    ("there", [(0, 6, 0, True, 0, 1)]),
    ("wanted", [(0, 0, 0, False, 0, -1), (0, 2, 0, True, 2, 1)]),
    ("source", [(0, 0, 0, False, 0, -1), (0, 5, 0, True, 1, 0)]),
    ("left out", []),
    ("left out", [(60, 60, 0, False, 0, -1)]),
    ("there", [(0, 0, 7, False, 0, -1)]),
    ("there", [(0, 0, 0, True, 1, 9)]),
]


@pytest.mark.parametrize(("rule", "rows"), RULES)
def test_each_rule_by_a_plan_that_breaks_it(rule, rows):
    night = Night(["s"], [("i", "s", 10, (600, 601))], {"a": 6, "b": 5, "c": 2}, [("i", "a")], [("s", "b")])
    opening = night.plan().opening_us[0]
    plan = plan_of(*rows)
    moved = FillPlan(plan.start_us + opening, plan.end_us + opening, plan.appliance, plan.add, plan.asset, plan.source)
    faults = check_fill_plan(night.topology, night.catalog, night.stored, night.placement, moved, night.day)
    assert rule in {fault.rule for fault in faults}
    assert all(fault.step is None or 1 <= fault.step <= len(rows) for fault in faults)


def test_forbidden_content_must_leave_and_leave_first():
    night = Night(["s"], [("i", "s", 50, (600, 601))], {"x": 5, "banned": 5}, stored=[("i", "x"), ("i", "banned")],
                  excluded_sites={1: ("s",)})
    opening, closing = int(night.plan().opening_us[0]), int(night.plan().closing_us[0])

    def rules(*rows):
        start, asset = zip(*rows, strict=True)
        n = len(rows)
        plan = FillPlan(start, start, [0] * n, [False] * n, asset, [-1] * n)
        faults = check_fill_plan(night.topology, night.catalog, night.stored, night.placement, plan, night.day)
        return {fault.rule for fault in faults}

    assert rules((opening, 1), (closing, 0)) == set()
    assert "forbidden" in rules((closing, 0))
    assert rules((closing, 0), (closing, 1)) == {"forbidden", "late"}
    assert rules((opening, 1)) == {"left over"}


def test_what_is_said_to_be_the_ending_must_be_it():
    night = busy_night()
    result = night.plan()
    after, not_fitting = result.stored_after, night.not_fitting(result)
    less = StoredNow(after.appliance[1:], after.asset[1:])
    none = SiteAssets.empty(len(night.catalog))
    assert len(night.faults(result.plan, stored_after=less)) == 1
    assert night.faults(result.plan, not_fitting=none) == [
        "plan: ending: t/late: is missing, expected to be there, or said not to fit"]
    assert night.faults(result.plan, not_fitting=not_fitting) == []
    assert len(night.faults(result.plan, not_fitting=not_fitting.union(night.placement))) == len(night.placement) - 1


def test_without_a_night_the_plan_shows_which_it_is():
    night = busy_night()
    plan = night.plan().plan
    assert check_fill_plan(night.topology, night.catalog, night.stored, night.placement, plan) == []
    moved = FillPlan(plan.start_us + 1, plan.end_us + 1, plan.appliance, plan.add, plan.asset, plan.source)
    assert check_fill_plan(night.topology, night.catalog, night.stored, night.placement, moved) != []


def test_faults_name_step_rule_and_place():
    night = Night(["s"], [("=cmd()", "s", 10, (600, 601))], {"<b>": 6}, [("=cmd()", "<b>")], [("s", "<b>")])
    plan = FillPlan([0], [0], [0], [True], [0], [1])
    assert "step 1: there: =cmd()/<b>: is added though it is there, expected an asset that is not" in night.faults(plan)


def test_needed_time_is_exact():
    assert needed_us(MEGABIT_BYTES, 1e6) == 1_000_000
    assert needed_us(3, 7.0) == 3_428_572
    assert needed_us(10**18 + 1, 8e9) == 10**15 + 1
    assert (needed_us(1, float("inf")), needed_us(1, 0.0)) == (0, None)


@pytest.mark.parametrize("module", ["checking", "replays", "wall_clock"])
def test_the_checker_shares_no_code_with_the_planner(module):
    source = (Path(cdn.filling.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    imported = {name.module for name in ast.walk(ast.parse(source)) if isinstance(name, ast.ImportFrom)}
    assert not imported & {f"cdn.filling.{name}" for name in PLANNERS}

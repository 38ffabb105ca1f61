"""The fill planner on nights small enough to work out by hand; sizes are seconds of filling at 1 Mbit/s."""

import numpy as np
import pandas as pd
import pytest
from filling.fill_instances import DAY, Night, nights
from hypothesis import HealthCheck, given, settings

from cdn.evaluation import marginal_saving
from cdn.filling import REASONS, appliance_fills, plan_fill
from cdn.filling.results import EXCLUDED, NO_STORAGE, NO_TIME, TOO_LARGE
from cdn.filling.schedules import transfer_us
from cdn.model.fill_plan import StoredNow
from cdn.model.placement import Placement
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import ServingCost

ALL_DAY = (0, 0)
OPEN = -86400.0  # the whole day before: the night that prepares DAY, in seconds before it


def soundly_planned(night):
    """The plan, believed only when the checker finds nothing."""
    result = night.plan()
    assert night.faults(result.plan, stored_after=result.stored_after, not_fitting=night.not_fitting(result)) == []
    return result


def test_swap_on_one_appliance():
    """10 s of storage hold old (6) and same (4). new (5) needs 5: old leaves first, at the same moment."""
    night = Night(["s"], [("i", "s", 10, ALL_DAY)], {"old": 6, "same": 4, "new": 5},
                  stored=[("i", "old"), ("i", "same")], wanted=[("s", "same"), ("s", "new")])
    result = soundly_planned(night)
    assert night.steps(result.plan) == [
        ("i", "remove", "old", OPEN, OPEN, None),
        ("i", "add", "new", OPEN, OPEN + 5, "origin")]
    assert result.complete
    assert night.pairs(result.stored_after) == {("i", "same"), ("i", "new")}


def test_removals_wait_until_room_is_needed_and_the_least_valuable_goes_first():
    """Free: 5. first (5) fits as it is. second (4) needs room: dull (2, nobody asks for it) goes, which is not enough,
    then liked (3). spare (1) is needed by nothing and goes as the window closes."""
    night = Night(["s"], [("i", "s", 11, ALL_DAY)], {"liked": 3, "dull": 2, "spare": 1, "first": 5, "second": 4},
                  stored=[("i", "liked"), ("i", "dull"), ("i", "spare")], wanted=[("s", "first"), ("s", "second")],
                  demand=[("first", 5e6), ("second", 2e6), ("liked", 1e6), ("spare", 9e6)])
    result = soundly_planned(night)
    assert night.steps(result.plan) == [
        ("i", "add", "first", OPEN, OPEN + 5, "origin"),
        ("i", "remove", "dull", OPEN + 5, OPEN + 5, None),
        ("i", "remove", "liked", OPEN + 5, OPEN + 5, None),
        ("i", "add", "second", OPEN + 5, OPEN + 9, "origin"),
        ("i", "remove", "spare", 0, 0, None)]


def test_copies_from_the_cheapest_site_that_holds_the_file_at_that_moment():
    """near costs 0.1 to copy from, the origin 1. near takes hit in from 0:00 to 0:00:30, late opens at 0:01 and copies
    from near; early opens with near and has to take it from the origin."""
    night = Night(["early", "near", "late"],
                  [("e", "early", 50, (0, 60)), ("n", "near", 50, (0, 60)), ("l", "late", 50, (1, 60))],
                  {"hit": 30}, wanted=[("early", "hit"), ("near", "hit"), ("late", "hit")],
                  links=[("near", "late", 0.1), ("near", "early", 0.1), ("near", "origin", 1.0)])
    steps = night.steps(soundly_planned(night).plan)
    assert steps == [("e", "add", "hit", OPEN, OPEN + 30, "origin"), ("n", "add", "hit", OPEN, OPEN + 30, "origin"),
                     ("l", "add", "hit", OPEN + 60, OPEN + 90, "near")]


def test_does_not_copy_what_is_removed_before_the_copy_is_complete():
    """near holds f and g until its window closes at 2:04, where they leave. far opens at 2:02 and takes 60 s for f
    (ends 2:03: from near) and 90 s for g (ends 2:04:30: near has it no longer all the time, so the origin)."""
    night = Night(["near", "far"], [("n", "near", 500, (120, 124)), ("x", "far", 500, (122, 130))], {"f": 60, "g": 90},
                  stored=[("n", "f"), ("n", "g")], wanted=[("far", "f"), ("far", "g")],
                  links=[("near", "far", 0.1), ("near", "origin", 1.0), ("far", "origin", 1.0)])
    at = OPEN + 7200
    assert night.steps(soundly_planned(night).plan) == [
        ("x", "add", "f", at + 120, at + 180, "near"),
        ("x", "add", "g", at + 180, at + 270, "origin"),
        ("n", "remove", "g", at + 240, at + 240, None),  # of equal worth: the larger leaves first
        ("n", "remove", "f", at + 240, at + 240, None)]


def test_a_copy_that_made_room_is_no_source():
    """near removes f at 2:00 for new; far opens at 2:02 and must go to the origin for f."""
    night = Night(["near", "far"], [("n", "near", 60, (120, 124)), ("x", "far", 60, (122, 130))], {"f": 60, "new": 50},
                  stored=[("n", "f")], wanted=[("far", "f"), ("near", "new")],
                  links=[("near", "far", 0.1), ("near", "origin", 1.0), ("far", "origin", 1.0)])
    sources = {step[2]: step[5] for step in night.steps(soundly_planned(night).plan) if step[1] == "add"}
    assert sources == {"f": "origin", "new": "origin"}


def test_listed_serving_costs_leave_only_the_origin_as_source():
    """Without links there is no path between sites, so near's copy cannot be used."""
    costs = tuple(ServingCost(f"clients of {s}", t, 1.0) for s in ("near", "far") for t in (s, "origin"))
    night = Night(["near", "far"], [("n", "near", 60, ALL_DAY), ("x", "far", 60, ALL_DAY)], {"f": 60},
                  stored=[("n", "f")], wanted=[("far", "f"), ("near", "f")], links=[("elsewhere", "nowhere", 1.0)],
                  serving_costs=costs)
    assert night.steps(soundly_planned(night).plan) == [("x", "add", "f", OPEN, OPEN + 60, "origin")]


def test_window_too_short_keeps_what_was_to_make_room():
    """60 s of window. Per byte big (40) > mid (30) > small (15). big runs to second 40, mid would end at 70, small ends
    at 55. Free at first: 50. big takes 40; small needs 5 more: huge (30), which saves as little as tiny (10) but is
    larger, leaves. Nothing else needs room, and as mid is deferred for lack of time, tiny is kept."""
    night = Night(["s"], [("i", "s", 90, (600, 601))], {"huge": 30, "tiny": 10, "big": 40, "mid": 30, "small": 15},
                  stored=[("i", "huge"), ("i", "tiny")], wanted=[("s", "big"), ("s", "mid"), ("s", "small")],
                  demand=[("big", 40e6), ("mid", 15e6), ("small", 3e6)])
    result = soundly_planned(night)
    at = OPEN + 36000
    assert night.steps(result.plan) == [
        ("i", "add", "big", at, at + 40, "origin"),
        ("i", "remove", "huge", at + 40, at + 40, None),
        ("i", "add", "small", at + 40, at + 55, "origin")]
    assert night.deferred(result) == [("s", "mid", NO_TIME)]
    assert result.deferred.saving.tolist() == [15e6]  # 15 MB asked for, 1 per byte saved
    assert night.pairs(result.kept) == {("i", "tiny")}
    assert night.pairs(result.stored_after) == {("i", "big"), ("i", "small"), ("i", "tiny")}


def test_two_appliances_of_a_site_share_its_assets():
    """double is on both: it stays where there is more room (on j: 20 - 0 against 20 - 9). x (8) could go to either
    and finish as early; j has 20 - 3 = 17 of room, i 11: j. y (7) then finishes earlier on i. The spare copy leaves
    last."""
    night = Night(["s"], [("i", "s", 20, ALL_DAY), ("j", "s", 20, ALL_DAY)], {"stay": 9, "double": 3, "x": 8, "y": 7},
                  stored=[("i", "stay"), ("i", "double"), ("j", "double")],
                  wanted=[("s", "stay"), ("s", "double"), ("s", "x"), ("s", "y")],
                  demand=[("x", 8e6), ("y", 1e6)])
    result = soundly_planned(night)
    assert night.steps(result.plan) == [
        ("i", "add", "y", OPEN, OPEN + 7, "origin"),
        ("j", "add", "x", OPEN, OPEN + 8, "origin"),
        ("i", "remove", "double", 0, 0, None)]
    assert night.pairs(result.stored_after) == {("i", "stay"), ("i", "y"), ("j", "double"), ("j", "x")}


def test_over_full_appliance_is_emptied_first_and_wanted_content_moves_on():
    """i stores 10 and holds 15. x (6) is worth more than y (6); both do not fit, so y leaves at once, which is enough,
    and goes to j, which has room; the copy on i is gone by then. z waits until the window closes."""
    night = Night(["s"], [("i", "s", 10, ALL_DAY), ("j", "s", 10, ALL_DAY)], {"x": 6, "y": 6, "z": 3},
                  stored=[("i", "x"), ("i", "y"), ("i", "z")], wanted=[("s", "x"), ("s", "y")],
                  demand=[("x", 5e6), ("y", 1e6)])
    result = soundly_planned(night)
    assert night.steps(result.plan) == [
        ("i", "remove", "y", OPEN, OPEN, None),
        ("j", "add", "y", OPEN, OPEN + 6, "origin"),
        ("i", "remove", "z", 0, 0, None)]
    assert result.complete


def test_over_full_appliance_removes_what_nobody_wants_first():
    """i stores 10 and holds x (6, wanted), z (3), w (4): 13. w saves less per byte than z and leaves as the window
    opens, which is enough; z waits."""
    night = Night(["s"], [("i", "s", 10, ALL_DAY)], {"x": 6, "w": 4, "z": 3},
                  stored=[("i", "x"), ("i", "z"), ("i", "w")], wanted=[("s", "x")], demand=[("z", 5e6), ("w", 1e6)])
    assert night.steps(soundly_planned(night).plan) == [("i", "remove", "w", OPEN, OPEN, None),
                                                        ("i", "remove", "z", 0, 0, None)]


def test_content_that_may_not_be_stored_leaves_first_whatever_else_happens():
    """gone's licence ends as DAY begins and banned is kept from the site; neither has to make room, and nothing can be
    filled (no rate), but both leave as the window opens. The placement's banned pair is said not to fit."""
    ends = np.array(["NaT", DAY, "NaT", "NaT"], dtype="datetime64[us]")
    night = Night(["s"], [("i", "s", 100, (60, 120))], {"other": 5, "gone": 5, "banned": 5, "new": 5},
                  stored=[("i", "other"), ("i", "gone"), ("i", "banned")], wanted=[("s", "banned"), ("s", "new")],
                  fill_bps=0.0, licence_end=ends, excluded_sites={2: ("s",)})
    result = soundly_planned(night)
    steps = night.steps(result.plan)
    assert sorted(steps) == [("i", "remove", "banned", OPEN + 3600, OPEN + 3600, None),
                             ("i", "remove", "gone", OPEN + 3600, OPEN + 3600, None)]
    assert night.deferred(result) == [("s", "banned", EXCLUDED), ("s", "new", NO_TIME)]
    assert night.pairs(result.stored_after) == night.pairs(result.kept) == {("i", "other")}


def test_reasons_for_not_fitting():
    """vast (30) is larger than any appliance (20); odd (10) would fit the site's 2 x 8 free bytes but no appliance;
    bare has no appliance at all."""
    night = Night(["s", "bare"], [("i", "s", 20, ALL_DAY), ("j", "s", 20, ALL_DAY)],
                  {"p": 12, "q": 12, "vast": 30, "odd": 10},
                  stored=[("i", "p"), ("j", "q")],
                  wanted=[("s", "p"), ("s", "q"), ("s", "vast"), ("s", "odd"), ("bare", "odd")])
    result = soundly_planned(night)
    assert sorted(night.deferred(result)) == [
        ("bare", "odd", NO_STORAGE), ("s", "odd", NO_STORAGE), ("s", "vast", TOO_LARGE)]
    assert result.deferred.counts() == {REASONS[NO_STORAGE]: 2, REASONS[TOO_LARGE]: 1}
    assert len(result.plan) == 0


def test_pinned_first_and_without_demand_the_small_before_the_large():
    """Nobody asks for anything: one minute takes the pinned 40, then 5 and 15 by size; 30 does not fit any more."""
    night = Night(["s"], [("i", "s", 200, (600, 601))], {"pin": 40, "b": 30, "c": 15, "d": 5},
                  wanted=[("s", a) for a in ("pin", "b", "c", "d")], pinned_sites={0: ("s",)})
    result = soundly_planned(night)
    assert [step[2] for step in night.steps(result.plan)] == ["pin", "d", "c"]
    assert night.deferred(result) == [("s", "b", NO_TIME)]


def test_window_that_passes_midnight():
    """23:00-01:00 UTC: the last one that is over when the 28th begins is that of the 26th, from 25 h to 23 h before."""
    night = Night(["s"], [("i", "s", 20000, (1380, 60))], {"a": 7200, "b": 7201}, wanted=[("s", "a"), ("s", "b")])
    result = soundly_planned(night)
    assert night.steps(result.plan) == [("i", "add", "a", -90000, -82800, "origin")]
    assert night.deferred(result) == [("s", "b", NO_TIME)]


@pytest.mark.parametrize(("day", "hours"), [("2021-03-14", 3), ("2021-03-15", 2), ("2021-03-16", 3), ("2021-11-08", 4)])
def test_a_night_in_which_the_clock_changes_has_as_much_room_as_it_has_hours(day, hours):
    """New York, 01:00-04:00, files of one hour: the night of 14 March 2021 (before the 15th) has two hours in that
    window, that of 7 November (before the 8th) four, every other three."""
    files = {f"f{k}": 3600 for k in range(6)}
    night = Night(["ny"], [("i", "ny", 99999, (60, 240))], files, wanted=[("ny", a) for a in files],
                  zones={"ny": "America/New_York"}, day=pd.Timestamp(day))
    result = soundly_planned(night)
    assert len(result.plan) == hours
    assert len(result.deferred) == 6 - hours


def test_transfers_are_rounded_up_exactly():
    """3 bytes at 7 bit/s are 24 / 7 s = 3428571.43 us. 10^18 + 1 bytes at 8 Gbit/s are 10^15 us and a nanosecond, which
    a double would drop. 0.1 bit/s is the double next to it, a hair more, so 1 byte takes a hair less than 80 s."""
    assert transfer_us(3, 7.0) == 3_428_572
    assert transfer_us(10**18 + 1, 8e9) == 10**15 + 1
    assert transfer_us(1, 0.1) == 80_000_000
    assert transfer_us(1, float("inf")) == 0


def test_summary_per_appliance():
    """As above: big is added, mid does not fit, so both stored assets are kept: 30 + 10 + 40 seconds' worth."""
    night = Night(["s"], [("i", "s", 90, (600, 601)), ("j", "s", 0, ALL_DAY)],
                  {"huge": 30, "tiny": 10, "big": 40, "mid": 30},
                  stored=[("i", "huge"), ("i", "tiny")], wanted=[("s", "big"), ("s", "mid")], demand=[("big", 40e6)])
    first, second = appliance_fills(night.plan(), night.catalog.size_bytes)
    assert (first.removals, first.additions, first.kept) == (0, 1, 2)
    assert (first.added_bytes, first.kept_bytes, first.stored_bytes) == (5_000_000, 5_000_000, 10_000_000)
    assert first.bytes_from == {1: 5_000_000}
    assert first.end_us - first.start_us == 40_000_000
    assert (second.additions, second.start_us, second.end_us, second.bytes_from) == (0, None, None, {})


def test_inputs_that_do_not_belong_together_are_refused():
    night = Night(["s"], [("i", "s", 10, ALL_DAY)], {"a": 1}, wanted=[("s", "a")])
    other = Night(["s"], [("i", "s", 10, ALL_DAY)], {"b": 1})

    def plan(problem=night.problem, stored=night.stored, placement=night.placement, level=None):
        return plan_fill(problem, night.network, night.catalog, stored, Placement(placement, level=level), DAY)

    with pytest.raises(ValueError, match="fractional"):
        plan(level=[0.5])
    with pytest.raises(ValueError, match="another topology or catalog"):
        plan(problem=other.problem)
    with pytest.raises(ValueError, match="placement belongs to another"):
        plan(placement=SiteAssets.from_pairs([1], [0], 1))
    with pytest.raises(ValueError, match="unknown appliance"):
        plan(stored=StoredNow([7], [0]))
    with pytest.raises(ValueError, match="unknown asset"):
        plan(stored=StoredNow([0], [7]))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights())
def test_no_plan_has_a_fault(night):
    result = soundly_planned(night)
    sites = night.topology.appliance_sites
    after = set(zip(sites[result.stored_after.appliance].tolist(), result.stored_after.asset.tolist(), strict=True))
    wanted = set(zip(night.placement.site.tolist(), night.placement.asset.tolist(), strict=True))
    late = set(zip(result.deferred.site.tolist(), result.deferred.asset.tolist(), strict=True))
    assert wanted - after == late
    if result.complete:
        assert (after, len(result.stored_after), len(result.kept)) == (wanted, len(wanted), 0)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights(ample=True))
def test_time_never_lacks_where_filling_takes_none(night):
    result = soundly_planned(night)
    assert NO_TIME not in result.deferred.reason
    assert len(result.kept) == 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights())
def test_each_appliance_is_filled_in_the_order_of_value_and_the_plan_is_the_same_each_time(night):
    plan, again = night.plan().plan, night.plan().plan
    for name in ("start_us", "end_us", "appliance", "add", "asset", "source"):
        assert getattr(plan, name).tobytes() == getattr(again, name).tobytes()
    saving = dict(zip(night.placement.keys(night.problem.n_caches).tolist(),
                      marginal_saving(night.problem, night.placement), strict=True))
    for i, site in enumerate(night.topology.appliance_sites.tolist()):
        assets = plan.asset[plan.add & (plan.appliance == i)].tolist()
        per_byte = [saving[a * night.problem.n_caches + site] / night.catalog.size_bytes[a] for a in assets]
        assert per_byte == sorted(per_byte, reverse=True)

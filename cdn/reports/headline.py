"""The headline: is tonight's plan good, in one word and one sentence, and what to look at."""

from collections import Counter
from dataclasses import dataclass

from cdn.files.run_folders import LogRecord, PlacementRecord, ReplayRecord, Summary
from cdn.reports.cells import format_cell
from cdn.reports.tables import LRU, count_of, plan_offset
from cdn.simulation.strategies import CLAIRVOYANT
from cdn.units import format_bytes, format_share

OK, SHORTFALL, PROBLEM = "OK", "SHORTFALL", "PROBLEM"
INFO, WARNING = "info", "warning"
QUARANTINE_WARNING_SHARE = 0.01
VIOLATIONS_SHOWN, SITES_NAMED = 3, 5


@dataclass(frozen=True)
class Note:
    """One thing to know, ``level`` INFO or WARNING. ``names`` hold ids and are escaped as such; ``text`` holds none."""

    level: str
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Headline:
    """``state``: OK; SHORTFALL where something asked for did not fit tonight; PROBLEM where the plan breaks a limit."""

    day: str
    state: str
    sentence: str
    notes: tuple[Note, ...]


def build_headline(summary: Summary, timings: dict[str, float]) -> Headline:
    """``timings``: seconds per stage, may be empty."""
    placement, deferred = summary.placement, summary.deferred
    state = PROBLEM if placement.violations else SHORTFALL if deferred.pairs else OK
    verdict = {OK: "plan is good", SHORTFALL: "plan is good but does not all fit tonight",
               PROBLEM: f"plan breaks {count_of(len(placement.violations), 'limit')}"}[state]
    fits = ("fits tonight" if not deferred.pairs
            else f"{count_of(deferred.pairs, 'asset')} ({format_bytes(deferred.bytes)}) deferred")
    facts = [_gap_words(placement), fits, *_offload_words(summary)]
    return Headline(summary.day, state, f"{verdict}: {', '.join(facts)}", tuple(_notes(summary, timings)))


def _gap_words(placement: PlacementRecord) -> str:
    if placement.gap is None:
        return "no bound proven"
    by_prices = placement.lower_bound is not None and (
        placement.solver_bound is None or placement.lower_bound >= placement.solver_bound)
    return f"{'certified gap' if by_prices else 'gap by the solver'} {format_share(placement.gap)}"


def _offload_words(summary: Summary) -> list[str]:
    replay = summary.replay
    if replay is None:
        expected = format_cell("share", summary.placement.expected_offload)
        return [f"offload {expected} expected (no replay: the day has not passed)"]
    words = [f"offload {format_cell('share', replay.strategies[replay.plan].offload)} on the replayed day"]
    if LRU in replay.strategies and replay.plan != LRU:
        words.append(_compared(-plan_offset(replay, LRU)) + " LRU")
    if replay.offload_regret is not None:
        words.append(f"regret {100 * replay.offload_regret:.1f} points")
    return words


def _compared(above: float) -> str:
    return f"{100 * abs(above):.1f} points {'above' if above >= 0 else 'below'}"


def _notes(summary: Summary, timings: dict[str, float]) -> list[Note]:
    notes = [_violations(summary), _better_baseline(summary.replay), _over_egress(summary), _quarantine(summary),
             *(_sweeping(name, log) for name, log in summary.logs.items()), _forecast(summary), _timings(timings)]
    return [note for note in notes if note is not None]


def _violations(summary: Summary) -> Note | None:
    violations = summary.placement.violations
    if not violations:
        return None
    more = len(violations) - VIOLATIONS_SHOWN
    names = (*violations[:VIOLATIONS_SHOWN], *([f"and {more} more"] if more > 0 else []))
    return Note(WARNING, "limits broken", names)


def _better_baseline(replay: ReplayRecord | None) -> Note | None:
    """The best of what the plan is compared with, where it beats the plan; the clairvoyant is no real choice."""
    if replay is None:
        return None
    others = [name for name in replay.strategies if name not in (replay.plan, CLAIRVOYANT)]
    best = max(sorted(others), key=lambda name: replay.strategies[name].offload, default=None)
    if best is None or plan_offset(replay, best) <= 0:
        return None
    return Note(WARNING, f"{100 * plan_offset(replay, best):.1f} points more offload than the plan had", (best,))


def _over_egress(summary: Summary) -> Note | None:
    over = [site for site in summary.sites
            if site.peak_bps is not None and site.egress_bps is not None and site.peak_bps > site.egress_bps]
    if not over:
        return None
    more = len(over) - SITES_NAMED
    names = (*(site.site_id for site in over[:SITES_NAMED]), *([f"and {more} more"] if more > 0 else []))
    return Note(WARNING, "peak above the egress limit on the replayed day at", names)


def _quarantine(summary: Summary) -> Note | None:
    read = sum(log.rows_read for log in summary.logs.values())
    reasons: Counter[str] = Counter()
    for log in summary.logs.values():
        reasons.update(log.quarantined)
    bad = sum(reasons.values())
    if not bad:
        return Note(INFO, f"no log row quarantined of {read:,}")
    level = WARNING if bad > QUARANTINE_WARNING_SHARE * read else INFO
    return Note(level, f"{count_of(bad, 'log row')} of {read:,} quarantined",
                tuple(f"{reason} {number:,}" for reason, number in sorted(reasons.items())))


def _sweeping(name: str, log: LogRecord) -> Note | None:
    swept = log.sweeping_left_out
    if swept is None:
        return None
    if not swept.requests_with_session:
        return Note(WARNING, f"{name}: no session_id, sweeping clients cannot be told and none were left out")
    return Note(INFO, f"{name}: {count_of(swept.client_days, 'client-day')} of sweeping left out, "
                      f"{count_of(swept.requests, 'request')}")


def _forecast(summary: Summary) -> Note | None:
    forecast = summary.forecast
    if forecast.true_requests is None or forecast.wape is None or forecast.wape_regions is None:
        return Note(INFO, f"forecast: {forecast.requests:,.0f} requests, {format_bytes(forecast.bytes)}")
    errors = f"{100 * forecast.wape_regions:.0f} % per region, {100 * forecast.wape:.0f} % per region and asset"
    return Note(INFO, f"forecast: {forecast.requests:,.0f} requests, {forecast.true_requests:,} came; error {errors}")


def _timings(timings: dict[str, float]) -> Note | None:
    if not timings:
        return None
    slowest = max(sorted(timings), key=lambda name: timings[name])
    return Note(INFO, f"made in {sum(timings.values()):.1f} s, {timings[slowest]:.1f} s of it", (slowest,))

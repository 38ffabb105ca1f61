"""ROBUST: placing for more than what is expected. A rule changes the problem that is placed; what is stored is then
routed in, and judged on, the problem as it was.

What a fixed placement keeps off the origin is linear in the demand, so its expectation needs the expected bytes and
nothing else - as long as no limit on rates binds. Where egress or links bind, what caches serve is concave in the
demand (a cache serves at most its limit), and a placement that is best for the mean need not be best on average. Hence

- ``scenarios:N``: the two-stage problem. Storage is decided once, who serves what after the demand is known, in each of
N
  sampled days: sample average approximation (A. Kleywegt, A. Shapiro, T. Homem-de-Mello, SIAM J. Optim. 12, 2002).
- ``peaks:Q``: rates at a mix of quantiles, bytes as expected: a margin below the limits, as a chance constraint has.
- ``quantile:Q``: bytes and rates at that mix: wary of what is uncertain (Q below 0.5) or keen on it (above).

The mix at Q is the expected value at 0.5, ``bytes_p10`` at 0.1 and ``bytes_p90`` at 0.9, straight lines between.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cdn.errors import CdnError, UnknownNameError
from cdn.model.demand import Demand
from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.placement.candidates import find_candidates, limits_may_bind
from cdn.placement.rerouting import route_within_limits
from cdn.placement.scenarios import scenario_problem
from cdn.placement.solving import FEASIBLE

_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9
MOST_SCENARIOS = 1000


def quantile(problem: Problem, value: float, rng: np.random.Generator) -> Problem:
    """Requests, bytes and rates of every entry at the mix of quantiles ``value``."""
    demand = problem.demand
    ratio = _ratio(demand, value)
    return problem.replace(demand=replace(demand, requests=demand.requests * ratio, bytes=demand.bytes * ratio,
                                          peak_bps=demand.peak_bps * ratio))


def peaks(problem: Problem, value: float, rng: np.random.Generator) -> Problem:
    """Rates of every entry at the mix of quantiles ``value``, all else as expected."""
    demand = problem.demand
    return problem.replace(demand=replace(demand, peak_bps=demand.peak_bps * _ratio(demand, value)))


def scenarios(problem: Problem, value: float, rng: np.random.Generator) -> Problem:
    """``value`` days drawn from the demand, one storage for all of them."""
    return scenario_problem(problem, int(value), rng)


ROBUST: dict[str, Callable[[Problem, float, np.random.Generator], Problem]] = {
    "peaks": peaks,
    "quantile": quantile,
    "scenarios": scenarios,
}


def parse_robust(text: str) -> tuple[str, float]:
    """Name and value of a rule such as ``quantile:0.3``. Raises UnknownNameError for the name, CdnError for the value.
    """
    name, _, given = text.partition(":")
    if name not in ROBUST:
        raise UnknownNameError("robust rule", name, list(ROBUST))
    try:
        value = float(given)
    except ValueError:
        value = np.nan
    if name == "scenarios":
        if not (value == round(value) if np.isfinite(value) else False) or not 1 <= value <= MOST_SCENARIOS:
            raise CdnError(f"robust rule {text!r}: expected scenarios:N with N from 1 to {MOST_SCENARIOS}")
    elif not _LOW <= value <= _HIGH:
        raise CdnError(f"robust rule {text!r}: expected {name}:Q with Q from {_LOW} to {_HIGH}")
    return name, value


def place_robustly(problem: Problem, placer: Callable[..., PlacerResult], rule: str, seed: int,
                   **options) -> PlacerResult:
    """What ``placer`` stores in the rule's problem, routed in the problem itself. No prices, neither from the last plan
    nor in the result: those of another problem prove nothing of this one. Raises CdnError where the demand has no
    quantiles."""
    name, value = parse_robust(rule)
    if problem.demand.bytes_p10 is None or problem.demand.bytes_p90 is None:
        raise CdnError(f"robust rule {rule!r}: expected a demand with bytes_p10 and bytes_p90")
    options.pop("start_prices", None)
    found = placer(ROBUST[name](problem, value, np.random.default_rng(seed)), **options)
    stored = found.placement.stored
    routing = None
    if limits_may_bind(problem):
        candidates = find_candidates(problem)
        held = stored.contains(candidates.site, candidates.asset, problem.n_caches)
        routing = route_within_limits(problem, candidates, held)
    return PlacerResult(Placement(stored, routing), FEASIBLE, f"{found.reason}; placed for {rule}")


def _ratio(demand: Demand, level: float) -> np.ndarray:
    """(N,) the mix of quantiles over the expected bytes; 1 where nothing is expected."""
    low, high = demand.bytes_p10, demand.bytes_p90
    assert low is not None and high is not None
    if level <= _MIDDLE:
        far, weight = low, (_MIDDLE - level) / (_MIDDLE - _LOW)
    else:
        far, weight = high, (level - _MIDDLE) / (_HIGH - _MIDDLE)
    mix = weight * far + (1 - weight) * demand.bytes
    return np.divide(mix, demand.bytes, out=np.ones_like(mix), where=demand.bytes > 0)

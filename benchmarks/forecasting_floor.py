"""How much regret is noise: what placing with the generator's own expected demand of a day loses against placing with
the requests that were drawn from it. Nobody who forecasts can know more. Prints Markdown.

    python benchmarks/forecasting_floor.py [--requests-per-day 10000,30000] [--days 4] [--placers greedy,lp]

The sample with its default settings (demand/example.toml), but for the number of requests a day. Placers beside the
first run on the first number of requests only: by it their floors are compared.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
from forecasting_data import GENERATED_SEED, ROOT, networks_of_one_size
from forecasting_tables import print_table

from cdn.backtesting.placing import Setting
from cdn.backtesting.regret_parts import offload
from cdn.backtesting.running import date_of
from cdn.backtesting.windows import true_demand
from cdn.files.topologies import read_topology
from cdn.forecasting.history import history_of_log
from cdn.generator.expected import demand_of_sample
from cdn.generator.parameters import read_parameters
from cdn.generator.regions import regions_of
from cdn.generator.samples import Sample, draw_sample
from cdn.model.demand import Demand
from cdn.model.network import Network

FIRST_TESTED = 3


def sample_of(requests_per_day: float, n_days: int) -> Sample:
    parameters = read_parameters(ROOT / "demand" / "example.toml").model_copy(
        update={"days": FIRST_TESTED + n_days, "held_out_days": 0, "requests_per_day": requests_per_day})
    topology = read_topology(ROOT / "topologies" / "example.toml")
    return draw_sample(parameters, np.random.default_rng(GENERATED_SEED), regions_of(topology))


def networks_of(sample: Sample) -> dict[str, Network]:
    topology = read_topology(ROOT / "topologies" / "example.toml")
    return {"example network": Network(topology)} | networks_of_one_size(topology.region_index, sample.catalog)


def days_of(sample: Sample, n_days: int) -> Iterator[tuple[Demand, Demand, int]]:
    """Drawn and expected demand, and the day's number."""
    for number in range(FIRST_TESTED, FIRST_TESTED + n_days):
        log = sample.draw_day(number)
        day = int(log.day[0])
        true = true_demand(history_of_log(log, day + 1, 1), day)
        yield true, demand_of_sample(sample, date_of(day).date()), day


def floor_of(setting: Setting, days: list[tuple[Demand, Demand, int]]) -> tuple[float, float]:
    """Mean clairvoyant offload, and what placing with the expectation loses of it."""
    found = []
    for true, expected, number in days:
        day = date_of(number)
        best, known = (offload(setting, true, setting.place(demand, day), day) for demand in (true, expected))
        found.append((best, best - known))
    best, lost = np.mean(found, axis=0)
    return float(best), float(lost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests-per-day", default="10000,30000,100000,300000")
    parser.add_argument("--placers", default="greedy,lp")
    parser.add_argument("--days", type=int, default=4)
    given = parser.parse_args()
    rows = []
    for k, per_day in enumerate(map(float, given.requests_per_day.split(","))):
        sample = sample_of(per_day, given.days)
        days = list(days_of(sample, given.days))
        for name, network in networks_of(sample).items():
            for placer in given.placers.split(",")[:None if k == 0 else 1]:
                best, lost = floor_of(Setting(network, sample.catalog, placer), days)
                rows.append([f"{per_day:,.0f}", name, placer, f"{100 * best:.1f} %", f"{100 * lost:.2f}"])
                print(*rows[-1], file=sys.stderr, flush=True)
    print_table(["requests a day", "network", "placer", "clairvoyant offload", "floor, points"], rows)


if __name__ == "__main__":
    main()

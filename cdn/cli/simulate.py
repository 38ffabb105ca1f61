"""``cdn simulate``: replay request logs through the network under several strategies."""

import math
from pathlib import Path

import click
import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cdn.caching import ADMISSIONS, REACTIVE_POLICIES, choose_admission
from cdn.cli.options import (
    PATH,
    FiniteRange,
    catalog_option,
    json_option,
    out_option,
    print_result,
    quiet_option,
    stderr_console,
    topology_option,
)
from cdn.cli.policies import WITH_PARAMETERS, PoliciesParam, PolicyParam, parameters_by_policy
from cdn.errors import DataError
from cdn.files.catalogs import read_catalog
from cdn.files.contents import read_placement
from cdn.files.demands import read_demand
from cdn.files.topologies import read_topology
from cdn.logs.request_logs import read_request_log
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import Problem, build_problem
from cdn.model.request_log import RequestLog
from cdn.model.topology import Topology
from cdn.simulation import (
    CLAIRVOYANT,
    COPY_RULES,
    HYBRID,
    MISS_CLASSES,
    PINNED,
    Metrics,
    demand_of_log,
    simulate_all,
    summarise,
    write_results,
)
from cdn.simulation.copying import DEFAULT_COPY_RULE
from cdn.simulation.results import summary_of
from cdn.simulation.strategies import DEFAULT_HYBRID_POLICY, DEFAULT_REACTIVE_SHARE
from cdn.units import format_bytes, format_rate, format_share

DEFAULT_POLICIES = ("fifo", "lfu", "lru")
CHOICES = (PINNED, *REACTIVE_POLICIES, HYBRID)


@click.command()
@topology_option
@catalog_option
@click.option("--log", "log_paths", type=PATH, multiple=True, required=True,
              help="Request log to replay; may be repeated.")
@click.option("--warm-up", "warm_up_paths", type=PATH, multiple=True,
              help="Earlier request log that fills the reactive caches and is not counted; may be repeated.")
@click.option("--placement", "placement_path", type=PATH, default=None,
              help="Placement of the whole storage: what pinned pins and hybrid trims.")
@click.option("--hybrid-placement", "hybrid_path", type=PATH, default=None,
              help="Placement that was planned for hybrid's pinned share.")
@click.option("--demand", "demand_path", type=PATH, default=None,
              help="Demand that hybrid trims the placement by  [default: the warm-up's]")
@click.option("--policy", "strategies", type=PoliciesParam(among=REACTIVE_POLICIES, others=(PINNED, HYBRID)),
              default=",".join(DEFAULT_POLICIES), show_default=True,
              help=f"What to replay, joined by commas: {', '.join(CHOICES)}; policies with parameters such as "
                   f"{WITH_PARAMETERS} (cdn cache --list-policies).")
@click.option("--reactive-share", type=FiniteRange(0, 1), default=DEFAULT_REACTIVE_SHARE, show_default=True,
              help="Share of each cache's storage that hybrid leaves to its policy.")
@click.option("--hybrid-policy", type=PolicyParam(among=REACTIVE_POLICIES), default=DEFAULT_HYBRID_POLICY,
              show_default=True, help="Policy of hybrid's reactive share.")
@click.option("--admission", type=PolicyParam(choose_admission), default="none", show_default=True,
              help=f"Which copies the reactive caches take: {', '.join(ADMISSIONS)}; with parameters.")
@click.option("--ttl-s", type=FiniteRange(0), default=None,
              help="Seconds a copy lives in a reactive cache  [default: for ever]")
@click.option("--copy", type=click.Choice(sorted(COPY_RULES)), default=DEFAULT_COPY_RULE, show_default=True,
              help="Which of the reactive caches passed in vain take a copy: all (lce), the last (lcd), the nearest to "
                   "the client (edge), none (nocopy).")
@click.option("--egress-limits/--no-egress-limits", default=False, show_default=True,
              help="Caches refuse what exceeds their egress rate over a clock hour; the next one is asked.")
@click.option("--true-placement", "true_path", type=PATH, default=None,
              help="Placement made with the log's true demand: splits misses of placements into forecast and capacity.")
@out_option
@json_option
@quiet_option
def simulate(topology_path: Path, catalog_path: Path, log_paths: tuple[Path, ...], warm_up_paths: tuple[Path, ...],
             placement_path: Path | None, hybrid_path: Path | None, demand_path: Path | None,
             strategies: tuple[str, ...], reactive_share: float, hybrid_policy: str, admission: str,
             ttl_s: float | None, copy: str, egress_limits: bool, true_path: Path | None, out_path: Path,
             as_json: bool, quiet: bool) -> None:
    """Replay a request log that was not planned with: who serves it, what it costs, what stays off the origin."""
    _check_options(strategies, placement_path, hybrid_path, demand_path or warm_up_paths)
    if set(strategies) == {PINNED} and (admission != "none" or ttl_s is not None):
        raise click.UsageError("--admission and --ttl-s are of reactive caches: add a policy, or hybrid")
    progress = stderr_console(quiet)
    topology, catalog = read_topology(topology_path), read_catalog(catalog_path)
    log = _read_log(log_paths, topology, catalog, progress)
    warm_up = _read_log(warm_up_paths, topology, catalog, progress) if warm_up_paths else None
    demand = _trimming_demand(demand_path, log, warm_up)
    problem = _build_problem(topology, catalog, catalog_path, demand, log)
    placements = {name: read_placement(path, topology.site_index, catalog.asset_index)
                  for name, path in ((PINNED, placement_path), (HYBRID, hybrid_path), (CLAIRVOYANT, true_path))
                  if path is not None}
    with progress.status(f"replaying {len(log)} requests with {', '.join(strategies)}"):
        try:
            replays = simulate_all(problem, topology, catalog, log, strategies, placements, warm_up=warm_up,
                                   reactive_share=reactive_share, hybrid_policy=hybrid_policy, admission=admission,
                                   ttl_s=ttl_s, copy=copy, egress_limits=egress_limits)
        except ValueError as error:
            expected = f"a placement and logs that fit together ({error})"
            raise DataError.of_file(hybrid_path or placement_path or log_paths[0], expected) from error
    results = {name: summarise(problem, topology, log, replay) for name, replay in replays.items()}
    parameters = {"copy": copy, "egress_limits": egress_limits, "admission": admission,
                  "admission_parameters": dict(choose_admission(admission).parameters), "ttl_s": ttl_s}
    policies = [name for name in strategies if name not in (PINNED, HYBRID)]
    if HYBRID in strategies:
        parameters |= {"reactive_share": reactive_share, "hybrid_policy": hybrid_policy}
        policies.append(hybrid_policy)
    parameters |= {"policies": parameters_by_policy(policies)}
    write_results(out_path, results, topology, parameters)
    payload = {"parameters": parameters, "strategies": {name: summary_of(m, topology) for name, m in results.items()}}
    print_result(as_json, payload, lambda console: _show(console, results, problem))


def _check_options(strategies: tuple[str, ...], placement_path: Path | None, hybrid_path: Path | None,
                   demand_source: Path | tuple[Path, ...] | None) -> None:
    if PINNED in strategies and placement_path is None:
        raise click.UsageError("pinned needs --placement")
    if HYBRID in strategies and hybrid_path is None and not (placement_path and demand_source):
        raise click.UsageError("hybrid needs --hybrid-placement, or --placement and what to trim it by: "
                               "--demand or --warm-up")


def _read_log(paths: tuple[Path, ...], topology: Topology, catalog: Catalog, progress: Console) -> RequestLog:
    log, quarantine = read_request_log(paths, topology.region_index, catalog.asset_index)
    if quarantine.bad_rows:
        progress.print(f"{quarantine.bad_rows} of {quarantine.rows_read} rows left out: {dict(quarantine.counts)}",
                       markup=False)
    return log


def _trimming_demand(path: Path | None, log: RequestLog, warm_up: RequestLog | None) -> Demand:
    """The replayed log is never the source: the hybrid must not know what it is tested on."""
    if path is not None:
        return read_demand(path, log.region_index, log.asset_index)
    return demand_of_log(log.select(np.zeros(len(log), dtype=bool)) if warm_up is None else warm_up)


def _build_problem(topology: Topology, catalog: Catalog, catalog_path: Path, demand: Demand,
                   log: RequestLog) -> Problem:
    first_day = pd.Timestamp(int(log.day[0]), unit="D") if len(log) else None
    try:
        return build_problem(Network(topology), catalog, demand, day=first_day)
    except (ValueError, KeyError) as error:
        raise DataError.of_file(catalog_path, f"rules that can be kept ({error})") from error


def _show(console: Console, results: dict[str, Metrics], problem: Problem) -> None:
    first = next(iter(results.values()))
    table = Table(title=f"{first.requests} requests, {format_bytes(first.bytes)}")
    for heading in ("policy", "offload", "request\nhit ratio", "delivery\ncost", "origin\nbytes", "busiest\nsite",
                    "its\npeak", "of its\negress"):
        is_name = heading in ("policy", "busiest\nsite")
        table.add_column(heading, justify="left" if is_name else "right", no_wrap=not is_name, overflow="fold")
    for name, metrics in results.items():
        table.add_row(name, format_share(metrics.offload), format_share(metrics.request_hit_ratio),
                      f"{metrics.delivery_cost:.6g}", format_bytes(metrics.origin_bytes), *_busiest(metrics, problem))
    console.print(table)
    console.print(_misses(results))


def _misses(results: dict[str, Metrics]) -> Table:
    """Why the origin served: share of all requests by class, those that occur, and what was spilled."""
    names = [name for name in MISS_CLASSES if any(metrics.missed_requests[name] for metrics in results.values())]
    spills = any(metrics.spilled_requests for metrics in results.values())
    table = Table(title="misses by class, of all requests")
    table.add_column("policy")
    for heading in ("all", *names, *["spilled"] * spills):
        table.add_column(heading.replace("_", "\n"), justify="right")
    for name, metrics in results.items():
        missed = metrics.missed_requests
        counts = [sum(missed.values()), *(missed[class_] for class_ in names), *[metrics.spilled_requests] * spills]
        table.add_row(name, *(format_share(count / max(metrics.requests, 1)) for count in counts))
    return table


def _busiest(metrics: Metrics, problem: Problem) -> tuple[str, str, str]:
    """The busiest cache, its peak, and the share of its egress limit that takes."""
    site = metrics.busiest_site
    if site is None:
        return "no caches", "", ""
    peak_bps, limit_bps = metrics.peak_bps[site], metrics.egress_bps[site]
    share = format_share(peak_bps / limit_bps) if 0 < limit_bps < math.inf else "no limit"
    return escape(problem.site_index.id_of(site)), format_rate(peak_bps), share

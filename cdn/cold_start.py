"""Cold start of the decomposition placer: a second process compiles what is needed last.

Where nothing is kept on disk yet, the placer would compile its kernels one after the other as it comes to them. A
helper goes through a tiny problem of the same kind the other way round, judging first, and shares what it compiles
through the cache on disk (``cdn.compilation``). Results do not depend on it: what it has not done is compiled where it
is needed.

    python -m cdn.cold_start parts      (or ``whole``, where no block is taken in parts)
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import numpy as np

from cdn.compilation import is_kept
from cdn.evaluation import evaluate, lower_bound
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.placement import Placement, Prices
from cdn.model.problem import Problem, build_problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Link, Region, Site, Topology
from cdn.placement.decomposition.annealing import move_copies
from cdn.placement.decomposition.balancing import balance
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.groups import MOST_ENTRIES
from cdn.placement.decomposition.near_sets import list_near_sets
from cdn.placement.decomposition.parts import settle_parts
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.pricing import demand_order
from cdn.placement.decomposition.proving import prove, prove_chunk
from cdn.placement.decomposition.repairing import Repair
from cdn.placement.decomposition.tables import BlockPrices, build_tables

PARTS, WHOLE = "parts", "whole"


@contextmanager
def shared_cold_start(problem: Problem, progress: Callable[[str], None] | None) -> Iterator[None]:
    """A helper process for as long as it lasts, where the placer's kernels are yet to be compiled and there is a second
    processor; ``progress`` is told so."""
    helper = None
    kind = PARTS if np.diff(problem.demand.indptr).max(initial=0) > MOST_ENTRIES else WHOLE
    if is_kept(settle_parts if kind == PARTS else prove_chunk) is False and (os.cpu_count() or 1) > 1:
        if progress is not None:
            progress("compiling kernels, once")
        with suppress(OSError):
            helper = subprocess.Popen(
                [sys.executable, "-m", __name__, kind],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
    try:
        yield
    finally:
        if helper is not None:
            helper.kill()
            helper.wait()


def compile_backwards(kind: str) -> None:
    """Judges, moves copies, repairs, balances, lists sets and proves a tiny problem."""
    problem = _tiny_problem(MOST_ENTRIES + 1 if kind == PARTS else 1)
    n_assets, n_sites = len(problem.asset_index), problem.n_caches
    evaluate(problem, Placement(SiteAssets.empty(n_assets)))
    lower_bound(problem, _no_prices(problem))
    tables = build_tables(problem)
    opened, order = closed_rows(n_assets, n_sites), demand_order(tables)
    prices = BlockPrices(np.zeros(n_sites), np.zeros(n_sites), np.zeros(len(tables.candidate_site)))
    elasticity, use = np.ones((2, n_sites)), np.zeros((2, n_sites))
    with closing(BlockPasses(tables, 1)) as passes:
        move_copies(passes, prices, order, opened, lambda: False)
        Repair(passes, prices, order, opened).fit()
        balance(passes, prices, elasticity, order, opened, use)
        list_near_sets(passes, prices, order, opened)  # before proofs: the placer comes to it while they compile
        prove(passes, prices, order, problem.origin_cost, opened, (0.0, 0.0), elasticity, lambda: False)


def _no_prices(problem: Problem) -> Prices:
    n_hours, per_site = len(problem.demand.peak_hours()), np.zeros(problem.n_caches)
    egress, link = np.zeros((n_hours, len(per_site))), np.zeros((n_hours, len(problem.link_capacity_bps)))
    return Prices(per_site, per_site, egress, link, np.zeros(len(problem.demand)))


def _tiny_problem(n_regions: int) -> Problem:
    """One asset that all regions ask for, and one cache that pays for it."""
    topology = Topology(
        sites=(Site("edge", "edge"), Site("origin", "origin")),
        appliances=(Appliance("appliance", "edge", 10),),
        regions=tuple(Region(f"region {r}", "edge") for r in range(n_regions)),
        links=(Link("edge", "origin", cost_per_byte=1.0),),
    )
    catalog = Catalog.of_sizes(["asset"], [1])
    asked = np.full(n_regions, 2.0)
    demand = Demand.from_entries(
        topology.region_index, catalog.asset_index, np.arange(n_regions), np.zeros(n_regions), asked, asked
    )
    return build_problem(Network(topology), catalog, demand)


if __name__ == "__main__":
    compile_backwards(sys.argv[1])

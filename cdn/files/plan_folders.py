"""A plan folder: a placement with its certificate, and beside it every input it was made from.

inputs/topology.toml  inputs/catalog.parquet|csv  inputs/demand.parquet  inputs/demand.hours.csv
inputs/stored_now.parquet  inputs/day.json
placement.parquet  routing.parquet (where egress or links bind)  certificate.json
serve_prices.parquet  branching_nodes.parquet, branching_prices.parquet (where the bound needs them)
fill_plan.parquet, stored_after.parquet (where a fill was planned)
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from cdn.errors import DataError
from cdn.files.catalogs import read_catalog
from cdn.files.certificates import write_certificate
from cdn.files.contents import (
    read_placement,
    read_routing,
    read_stored_now,
    write_placement,
    write_routing,
    write_stored_now,
)
from cdn.files.demands import read_demand, write_demand
from cdn.files.topologies import read_topology, write_topology
from cdn.files.writing import write_json
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.fill_plan import StoredNow
from cdn.model.network import Network
from cdn.model.placement import Certificate, Placement
from cdn.model.problem import Problem, build_problem
from cdn.model.topology import Topology

PLACEMENT_FILE, ROUTING_FILE = "placement.parquet", "routing.parquet"
MOST_RESERVED = 0.05
FILL_PLAN_FILE, STORED_AFTER_FILE = "fill_plan.parquet", "stored_after.parquet"


@dataclass(frozen=True, eq=False)
class PlanInputs:
    """All a placement was made from. ``pinned_share``: the share of each cache's storage that is planned; the rest is
    left to a reactive policy. ``fill_days``: days a filled copy is expected to serve; its fill cost is spread over
    them. ``catalog_path``: the file the catalog was read from."""

    network: Network
    catalog: Catalog
    catalog_path: Path
    demand: Demand
    stored_now: StoredNow
    day: pd.Timestamp | None
    pinned_share: float = 1.0
    fill_days: float = 1.0

    @cached_property
    def planned_topology(self) -> Topology:
        """The network with the pinned share of each appliance's storage: what placement and fill plan may use."""
        return self.network.topology.with_storage_share(self.pinned_share)

    @cached_property
    def planned_network(self) -> Network:
        """The paths of the planned topology."""
        return self.network if self.pinned_share == 1.0 else Network(self.planned_topology)

    def build_problem(self) -> Problem:
        """The problem that is planned: the pinned share of the storage, less what a cluster may lose to files that must
        lie whole on one appliance (``cluster_reserve_bytes``). Raises DataError where rules contradict each other."""

        def build() -> Problem:
            whole = self.build_whole_problem()
            topology = self.planned_topology
            pinned_bytes = whole.pinned.bytes_per_site(whole.size_bytes, whole.n_caches)
            reserve = cluster_reserve_bytes(topology, whole.size_bytes)
            usable = np.minimum(topology.storage_bytes, np.maximum(topology.storage_bytes - reserve, pinned_bytes))
            fill_cost = whole.fill_cost_per_byte / self.fill_days
            return whole.replace(storage_bytes=usable, fill_cost_per_byte=fill_cost)

        return self._checked(build)

    def build_whole_problem(self) -> Problem:
        """The problem with all of each cache's storage."""
        return self._checked(lambda: build_problem(self.network, self.catalog, self.demand, self.stored_now, self.day))

    def _checked(self, build: Callable[[], Problem]) -> Problem:
        try:
            return build()
        except (ValueError, KeyError) as error:
            raise DataError.of_file(self.catalog_path, f"rules that can be kept ({error})") from error


def cluster_reserve_bytes(topology: Topology, size_bytes: np.ndarray) -> np.ndarray:
    """(S,) storage that is left free so that whole files always find an appliance.

    A file of size z fits nowhere only if all n appliances of the cluster have less than z free, n z together. With
    (n - 1) times the largest size left free at the site that cannot happen (pigeonhole). It is never more than
    ``MOST_RESERVED`` of the storage; beyond that a file may still find no room, and the fill plan says so.
    """
    extra = np.maximum(np.bincount(topology.appliance_sites, minlength=topology.n_caches) - 1, 0)
    largest = size_bytes.max(initial=0)
    return np.minimum(extra * largest, np.floor(MOST_RESERVED * topology.storage_bytes))


def read_plan_inputs(
    topology_path: Path,
    catalog_path: Path,
    demand_path: Path,
    stored_path: Path | None,
    day: pd.Timestamp | None,
    pinned_share: float = 1.0,
    fill_days: float = 1.0,
) -> PlanInputs:
    """Reads and checks the inputs of a placement. Raises DataError."""
    topology = read_topology(topology_path)
    catalog = read_catalog(catalog_path)
    demand = read_demand(demand_path, topology.region_index, catalog.asset_index)
    stored = read_stored_now(stored_path, topology, catalog.asset_index) if stored_path else StoredNow.nothing()
    return PlanInputs(Network(topology), catalog, catalog_path, demand, stored, day, pinned_share, fill_days)


def write_plan_folder(
    folder: Path, inputs: PlanInputs, problem: Problem, placement: Placement, certificate: Certificate
) -> None:
    """Writes inputs, placement and certificate into an existing folder."""
    kept = folder / "inputs"
    kept.mkdir(parents=True, exist_ok=True)
    topology = inputs.network.topology
    write_topology(topology, kept / "topology.toml")
    shutil.copyfile(inputs.catalog_path, kept / f"catalog{inputs.catalog_path.suffix}")
    write_demand(inputs.demand, kept / "demand.parquet")
    write_stored_now(inputs.stored_now, topology, inputs.catalog.asset_index, kept / "stored_now.parquet")
    day = None if inputs.day is None else inputs.day.strftime("%Y-%m-%d")
    write_json(kept / "day.json", {"day": day, "pinned_share": inputs.pinned_share, "fill_days": inputs.fill_days})
    write_placement(placement.stored, problem.site_index, problem.asset_index, folder / PLACEMENT_FILE)
    covered = [folder / PLACEMENT_FILE, *sorted(kept.iterdir())]
    if placement.routing is not None:
        write_routing(placement.routing, problem, folder / ROUTING_FILE)
        covered.append(folder / ROUTING_FILE)
    write_certificate(certificate, problem, folder, covered)


def read_folder_inputs(folder: Path) -> PlanInputs:
    """The inputs kept in a plan folder. Raises DataError."""
    kept = folder / "inputs"
    catalogs = sorted(kept.glob("catalog.*"))
    if not catalogs:
        raise DataError.of_file(kept, "a plan folder with inputs/catalog.parquet or .csv")
    try:
        fixed = json.loads((kept / "day.json").read_text(encoding="utf-8"))
        day = None if fixed["day"] is None else pd.Timestamp(fixed["day"])
        pinned_share, fill_days = float(fixed["pinned_share"]), float(fixed["fill_days"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError.of_file(kept / "day.json", "the planned day and pinned share") from error
    return read_plan_inputs(
        kept / "topology.toml",
        catalogs[0],
        kept / "demand.parquet",
        kept / "stored_now.parquet",
        day,
        pinned_share,
        fill_days,
    )


def read_folder_placement(folder: Path, problem: Problem) -> Placement:
    """The placement in a plan folder. Raises DataError."""
    stored = read_placement(folder / PLACEMENT_FILE, problem.site_index, problem.asset_index)
    routed = (folder / ROUTING_FILE).is_file()
    return Placement(stored, read_routing(folder / ROUTING_FILE, problem) if routed else None)

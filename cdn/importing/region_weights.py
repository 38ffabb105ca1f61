"""How much of the demand each node stands for: what the graph says, a file, or the same for all."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from cdn.errors import DataError
from cdn.files.schema import Column, TableSchema, positions, read_table
from cdn.importing.network_graph import NetworkGraph
from cdn.model.index import Index

NODE_WEIGHTS = TableSchema(
    "node weights",
    (
        Column("node_id", "string", "", "node of the imported graph"),
        Column("weight", "number", "", "its share of the demand, in any unit", minimum=0),
    ),
    key=("node_id",),
)


def by_population(network: NetworkGraph) -> np.ndarray | None:
    """(N,) the nodes' population; None where the graph has none."""
    return _attribute(network, "population")


def by_traffic(network: NetworkGraph) -> np.ndarray | None:
    """(N,) the nodes' row and column sums in the graph's demand matrix; None where the graph has none."""
    return _attribute(network, "traffic")


def uniform(network: NetworkGraph) -> np.ndarray | None:
    """(N,) ones."""
    return np.ones(len(network.graph))


REGION_WEIGHTS: Mapping[str, Callable[[NetworkGraph], np.ndarray | None]] = {
    "population": by_population, "traffic": by_traffic, "uniform": uniform,
}


def node_weights(network: NetworkGraph, rule: str | None = None, source: str = "graph") -> tuple[np.ndarray, str]:
    """(N,) weights and the rule they follow. Without a rule the first that the graph has data for.

    Nodes that host nothing (routers of other networks, hyperedges) weigh 0. Raises DataError where the graph lacks what
    the rule needs.
    """
    for name in [rule] if rule else list(REGION_WEIGHTS):
        weight = REGION_WEIGHTS[name](network)
        if weight is not None and weight[network.hosts].any():
            return np.where(network.hosts, weight, 0.0), name
    raise DataError.of_file(source, f"nodes with a {rule}")


def read_node_weights(path: Path | str, network: NetworkGraph) -> np.ndarray:
    """(N,) weights from a CSV or Parquet file; a node it does not name weighs 0. Raises DataError."""
    frame = read_table(path, NODE_WEIGHTS)
    weight = np.zeros(len(network.graph))
    weight[positions(frame, "node_id", Index(network.nodes), "imported graph's nodes")] = frame["weight"].to_numpy()
    if not weight.any():
        raise DataError.of_file(path, "at least one weight above 0")
    return weight


def _attribute(network: NetworkGraph, name: str) -> np.ndarray | None:
    values = np.array([np.nan if value is None else value for _, value in network.graph.nodes(data=name)], dtype=float)
    return np.nan_to_num(values) if np.nansum(values) > 0 else None

"""Replay of a request log through the network: who served each request, and what follows from that.

``replay`` decides who served each request, and the class of those that no cache served; every number in ``Metrics`` is
a pure function of these.
How a request finds its server is said in ``cdn.simulation.replaying``.
"""

from cdn.simulation.classes import MISS_CLASSES, REQUEST_CLASSES
from cdn.simulation.copying import COPY_RULES
from cdn.simulation.metrics import Metrics, summarise
from cdn.simulation.replaying import Replay, replay
from cdn.simulation.results import read_results, write_results
from cdn.simulation.strategies import CLAIRVOYANT, HYBRID, PINNED, STRATEGIES, simulate_all
from cdn.simulation.trimming import trim_placement
from cdn.simulation.true_demand import demand_of_log

__all__ = ["CLAIRVOYANT", "COPY_RULES", "HYBRID", "MISS_CLASSES", "PINNED", "REQUEST_CLASSES", "STRATEGIES", "Metrics",
           "Replay", "demand_of_log", "read_results", "replay", "simulate_all", "summarise", "trim_placement",
           "write_results"]

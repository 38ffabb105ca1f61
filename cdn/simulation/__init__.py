"""Replay of a request log through the network: who served each request, and what follows from that.

``replay`` decides who served each request and nothing else; every number in ``Metrics`` is a pure function of that.
How a request finds its server is said in ``cdn.simulation.replaying``.
"""

from cdn.simulation.metrics import Metrics, summarise
from cdn.simulation.replaying import Replay, replay
from cdn.simulation.results import read_results, write_results
from cdn.simulation.strategies import CLAIRVOYANT, HYBRID, PINNED, STRATEGIES, simulate_all
from cdn.simulation.trimming import trim_placement
from cdn.simulation.true_demand import demand_of_log

__all__ = ["CLAIRVOYANT", "HYBRID", "PINNED", "STRATEGIES", "Metrics", "Replay", "demand_of_log", "read_results",
           "replay", "simulate_all", "summarise", "trim_placement", "write_results"]

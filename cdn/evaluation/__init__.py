"""The one judge of placements: cost, offload, violations and bounds. Knows no solver and shares no code with one."""

from cdn.evaluation.bound import lower_bound
from cdn.evaluation.judge import Evaluation, evaluate
from cdn.evaluation.routing import cheapest_routing, marginal_saving
from cdn.evaluation.violations import Violation

__all__ = ["Evaluation", "Violation", "cheapest_routing", "evaluate", "lower_bound", "marginal_saving"]

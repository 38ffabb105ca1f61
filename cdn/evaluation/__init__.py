"""The one judge of placements: cost, offload, violations and bounds. Knows no solver and shares no code with one."""

from cdn.evaluation.bound import lower_bound
from cdn.evaluation.judge import Evaluation, Violation, evaluate
from cdn.evaluation.routing import cheapest_routing, marginal_saving, ranked_sites

__all__ = ["Evaluation", "Violation", "cheapest_routing", "evaluate", "lower_bound", "marginal_saving", "ranked_sites"]

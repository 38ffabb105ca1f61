"""The nightly fill: plan which appliance removes and adds what, when and from where; and check such a plan."""

from cdn.filling.checking import PlanFault, check_fill_plan
from cdn.filling.planner import plan_fill
from cdn.filling.results import REASONS, ApplianceFill, Deferred, FillResult, appliance_fills
from cdn.filling.windows import fill_windows, first_day_to_plan

__all__ = ["REASONS", "ApplianceFill", "Deferred", "FillResult", "PlanFault", "appliance_fills", "check_fill_plan",
           "fill_windows", "first_day_to_plan", "plan_fill"]

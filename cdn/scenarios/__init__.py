"""What-if: a scenario is a list of changes, each Problem -> Problem; the changed problem is planned again."""

from cdn.scenarios.changes import CHANGES
from cdn.scenarios.comparing import Comparison, compare_scenarios
from cdn.scenarios.files import Scenario, read_scenarios

__all__ = ["CHANGES", "Comparison", "Scenario", "compare_scenarios", "read_scenarios"]

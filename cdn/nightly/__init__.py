"""The night: forecast, placement, fill plan, replay and tables into one run folder."""

from cdn.nightly.configuration import NightlyConfig, read_config
from cdn.nightly.running import run_night

__all__ = ["NightlyConfig", "read_config", "run_night"]

"""Miss-ratio curves: exact for LRU in one pass, sampled, or by simulation for any policy."""

from cdn.caching.curves.miss_ratios import MissRatioCurve, miss_ratio_curve, spread_capacities

__all__ = ["MissRatioCurve", "miss_ratio_curve", "spread_capacities"]

"""Placers: each turns a problem into a placement. They know no judge; ``cdn.planning`` asks it about them."""

from collections.abc import Callable

from cdn.model.placement import PlacerResult
from cdn.placement.decomposition import place_decomposition
from cdn.placement.greedy import place_greedy
from cdn.placement.lp import place_lp
from cdn.placement.mip import place_mip
from cdn.placement.popularity import place_popularity

PLACERS: dict[str, Callable[..., PlacerResult]] = {
    "decomposition": place_decomposition,
    "greedy": place_greedy,
    "lp": place_lp,
    "mip": place_mip,
    "popularity": place_popularity,
}

__all__ = ["PLACERS"]

"""Placers: each turns a problem into a placement. They know no judge; ``cdn.planning`` asks it about them."""

from collections.abc import Callable

from cdn.model.placement import PlacerResult
from cdn.model.problem import Problem
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

AUTO = "auto"
"""Not a placer: the one that suits the problem's size."""
COMFORTABLE_CONNECTIONS = 20_000
"""Up to so many (demand entry, cheaper cache) pairs the linear program is a matter of a second or two."""


def choose_placer(problem: Problem) -> str:
    """The name of the placer that ``AUTO`` stands for: ``lp`` where it is comfortable, ``decomposition`` beyond."""
    cheaper = problem.may_serve & (problem.cost_per_byte[:-1] < problem.origin_cost)
    connections = int(cheaper.sum(axis=0)[problem.demand.region].sum())
    return "lp" if connections <= COMFORTABLE_CONNECTIONS else "decomposition"


__all__ = ["AUTO", "PLACERS", "choose_placer"]

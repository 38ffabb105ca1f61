"""The placer ``decomposition``: prices, one small exact problem per asset, a proved bound, and a placement that
fits."""

from cdn.placement.decomposition.placer import place_decomposition

__all__ = ["place_decomposition"]

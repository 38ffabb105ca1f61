"""decomposition: the placer for a million assets. Prices couple the sites; every asset is a small block solved exactly.

``blocks`` holds the problem as arrays, ``facility``, ``relaxation`` and ``branching`` solve one block, ``passes`` all of them,
``pricing`` moves the prices, ``rounding`` makes a placement that fits, ``crediting`` completes the certificate.
"""

from cdn.placement.decomposition.placing import place_decomposition

__all__ = ["place_decomposition"]

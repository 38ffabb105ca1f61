"""What became of a request: served by a cache, or why not.

A *miss* is a request that the origin served, and has exactly one class, the first that fits:

- ``not_placeable``: no cache could ever serve it: rights keep caches from serving the region, the asset is larger than
  every cache that may serve it, or excluded from all that are large enough;
- ``health``: a cache held it, but had no egress left in that hour;
- ``cold``: the first request ever for the asset, the warm-up's included;
- ``forecast``: no cache held it, but one would had the placement been planned with the true demand;
- ``capacity``: not even then; both only where there is a placement, and a clairvoyant one to compare with;
- ``content``: no cache held it.

``spilled`` is no miss: a cache without egress refused the request, and another cache served it.
"""

import numpy as np

from cdn.compilation import step

REQUEST_CLASSES = ("hit", "content", "health", "not_placeable", "cold", "forecast", "capacity", "spilled")
HIT, CONTENT, HEALTH, NOT_PLACEABLE, COLD, FORECAST, CAPACITY, SPILLED = range(len(REQUEST_CLASSES))
MISS_CLASSES = REQUEST_CLASSES[CONTENT:SPILLED]
# Rights alone keep the request from every cache; reported as NOT_PLACEABLE.
FORBIDDEN = len(REQUEST_CLASSES)


@step
def classify(route, asset, origin, seen, served_by, refused, request_class):
    """(N,) class of each request; ``refused`` (N,) bool, or of length 0 where nothing was. ``seen`` (A,) is updated.

    ``route`` (N,) as in ``cdn.simulation.routes``: beyond the origin it says why no pin serves."""
    for k in range(len(asset)):
        a = asset[k]
        is_refused = len(refused) > 0 and refused[k]
        if served_by[k] < origin:
            request_class[k] = SPILLED if is_refused else HIT
        else:
            reason = max(route[k] - origin, CONTENT)
            if reason in (FORBIDDEN, NOT_PLACEABLE):
                request_class[k] = NOT_PLACEABLE
            elif is_refused:
                request_class[k] = HEALTH
            else:
                request_class[k] = reason if seen[a] else COLD
        seen[a] = True


@step
def serve_pinned(route, asset, origin, seen, served_by, request_class):
    """The same where pins never refuse: the route is the answer."""
    for k in range(len(asset)):
        code = np.int32(route[k])
        if code < origin:
            served_by[k] = code
            request_class[k] = HIT
        else:
            served_by[k] = origin
            reason = code - origin
            if reason in (FORBIDDEN, NOT_PLACEABLE):
                request_class[k] = NOT_PLACEABLE
            else:
                request_class[k] = reason if seen[asset[k]] else COLD
        seen[asset[k]] = True

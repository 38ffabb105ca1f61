"""What is compared: pinned placements, reactive caches, and the hybrid of both, on the same log and storage."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdn.caching import REACTIVE_POLICIES
from cdn.errors import UnknownNameError
from cdn.model.catalog import Catalog
from cdn.model.problem import Problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology
from cdn.simulation.copying import DEFAULT_COPY_RULE
from cdn.simulation.replaying import Replay, replay
from cdn.simulation.trimming import trim_placement

PINNED, HYBRID, CLAIRVOYANT = "pinned", "hybrid", "clairvoyant"
STRATEGIES = (PINNED, *REACTIVE_POLICIES, HYBRID, CLAIRVOYANT)
DEFAULT_REACTIVE_SHARE = 0.3
DEFAULT_HYBRID_POLICY = "lru"


def simulate_all(problem: Problem, topology: Topology, catalog: Catalog, log: RequestLog, strategies: Sequence[str],
                 placements: Mapping[str, SiteAssets], *, reactive_share: float = DEFAULT_REACTIVE_SHARE,
                 hybrid_policy: str = DEFAULT_HYBRID_POLICY, admission: str = "none", ttl_s: float | None = None,
                 copy: str = DEFAULT_COPY_RULE, egress_limits: bool = False,
                 warm_up: RequestLog | None = None) -> dict[str, Replay]:
    """Replays the log once per strategy, in the order given.

    A name in ``REACTIVE_POLICIES``, with parameters where wanted (``slru:n_segments=2``), is that policy in every edge
    and mid. ``hybrid`` pins ``placements['hybrid']``, planned for ``1 - reactive_share`` of the storage, or else the
    trimmed ``placements['pinned']`` (``trim_placement``), and gives the rest to ``hybrid_policy``. Any other name
    (``pinned``, ``clairvoyant``) is the pure placement of that name. ``placements['clairvoyant']``, replayed or not,
    tells forecast misses of the other placements from capacity misses. Other options as in ``replay``, ``admission``
    and ``ttl_s`` for whatever is reactive.
    Raises UnknownNameError for a strategy that is no policy and has no placement.
    """
    placements = dict(placements)
    if HYBRID in strategies and HYBRID not in placements and PINNED in placements:
        placements[HYBRID] = trim_placement(problem, placements[PINNED], 1 - reactive_share)
    options: dict[str, Any] = {"copy": copy, "egress_limits": egress_limits, "warm_up": warm_up,
                               "admission": admission, "ttl_s": ttl_s, "true_placement": placements.get(CLAIRVOYANT)}
    replays = {}
    for name in strategies:
        if name.split(":")[0] in REACTIVE_POLICIES:
            replays[name] = replay(problem, topology, catalog, log, policy=name, **options)
        elif name not in placements:
            raise UnknownNameError("strategy", name, [*REACTIVE_POLICIES, *placements])
        elif name == HYBRID:
            replays[name] = replay(problem, topology, catalog, log, pinned=placements[name], policy=hybrid_policy,
                                   reactive_share=reactive_share, **options)
        else:
            replays[name] = replay(problem, topology, catalog, log, pinned=placements[name], **options)
    return replays

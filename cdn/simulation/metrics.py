"""Every number a replay gives: pure functions of the problem, the log, who served each request and its class.

``served_by`` (N,) is the site of each request, the origin S; ``request_class`` (N,) its place in ``REQUEST_CLASSES``.
Sums are exact below 2**53 bytes.
"""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.problem import Problem
from cdn.model.request_log import RequestLog
from cdn.model.topology import MID, Topology
from cdn.simulation.classes import MISS_CLASSES, REQUEST_CLASSES, SPILLED
from cdn.simulation.paths import sites_of_kind
from cdn.simulation.replaying import Replay
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR


@dataclass(frozen=True, eq=False)
class Metrics:
    """One replay in numbers: S caches and the origin last, R regions, L links, 24 UTC hours of the day.

    ``offload``: bytes served by caches / all bytes; ``request_hit_ratio``: the same of requests; 0 for an empty log.
    ``midgress_bytes``: served by mid sites. ``region_offload`` (R,), NaN where a region asked for no bytes.
    ``site_bytes`` (S + 1, 24), ``link_bytes`` (2 L, 24), each directed link as in ``Problem.path_links``. ``peak_bps``
    (S + 1,): mean rate of each site's busiest hour of the log; ``egress_bps`` (S,) its limit. ``class_requests``,
    ``class_bytes`` (8, 24): requests and bytes of each of ``REQUEST_CLASSES``.
    """

    requests: int
    bytes: int
    offload: float
    request_hit_ratio: float
    delivery_cost: float
    origin_bytes: int
    midgress_bytes: int
    region_offload: np.ndarray
    site_bytes: np.ndarray
    link_bytes: np.ndarray
    peak_bps: np.ndarray
    egress_bps: np.ndarray
    class_requests: np.ndarray
    class_bytes: np.ndarray

    def __post_init__(self) -> None:
        for name in ("region_offload", "peak_bps", "egress_bps"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        for name in ("site_bytes", "link_bytes", "class_requests", "class_bytes"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def busiest_site(self) -> int | None:
        """The cache with the highest peak (the first of equals); None where there are no caches."""
        return int(self.peak_bps[:-1].argmax()) if len(self.egress_bps) else None

    @property
    def origin_bytes_by_hour(self) -> np.ndarray:
        """(24,) bytes out of the origin."""
        return self.site_bytes[-1]

    @property
    def missed_requests(self) -> dict[str, int]:
        """Requests that the origin served, by class of miss."""
        return _by_class(self.class_requests, MISS_CLASSES)

    @property
    def missed_bytes(self) -> dict[str, int]:
        """Bytes that the origin served, by class of miss."""
        return _by_class(self.class_bytes, MISS_CLASSES)

    @property
    def spilled_requests(self) -> int:
        """Requests that a cache without egress refused and another cache served."""
        return int(self.class_requests[SPILLED].sum())

    @property
    def spilled_bytes(self) -> int:
        return int(self.class_bytes[SPILLED].sum())


def summarise(problem: Problem, topology: Topology, log: RequestLog, replay: Replay) -> Metrics:
    """All metrics of one replay. Raises ValueError where the replay is not of this log."""
    served_by = replay.served_by
    if len(served_by) != len(log):
        raise ValueError(f"the replay has {len(served_by)} requests, the log {len(log)}")
    by_site = site_bytes(problem, log, served_by)
    return Metrics(
        requests=len(log),
        bytes=log.total_bytes,
        offload=offload(problem, log, served_by),
        request_hit_ratio=request_hit_ratio(problem, served_by),
        delivery_cost=delivery_cost(problem, log, served_by),
        origin_bytes=int(by_site[-1].sum()),
        midgress_bytes=int(by_site[:-1][sites_of_kind(topology, MID)].sum()),
        region_offload=region_offload(problem, log, served_by),
        site_bytes=by_site,
        link_bytes=link_bytes(problem, log, served_by),
        peak_bps=peak_bps(problem, log, served_by),
        egress_bps=problem.egress_bps,
        class_requests=by_class(log, replay.request_class, np.ones(len(log))),
        class_bytes=by_class(log, replay.request_class, log.bytes),
    )


def _by_class(table: np.ndarray, names: tuple[str, ...]) -> dict[str, int]:
    return {name: int(table[REQUEST_CLASSES.index(name)].sum()) for name in names}


def by_class(log: RequestLog, request_class: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(8, 24) sum of the requests' weights by class and UTC hour of the day."""
    shape = (len(REQUEST_CLASSES), HOURS_PER_DAY)
    cell = request_class.astype(np.int64) * HOURS_PER_DAY + log.hour
    return np.bincount(cell, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)


def offload(problem: Problem, log: RequestLog, served_by: np.ndarray) -> float:
    """Byte hit ratio of the whole system: bytes served by caches / all bytes; 0 where there are none."""
    return int(log.bytes[served_by < problem.n_caches].sum()) / max(log.total_bytes, 1)


def request_hit_ratio(problem: Problem, served_by: np.ndarray) -> float:
    """Requests served by caches / all requests; 0 where there are none."""
    return int((served_by < problem.n_caches).sum()) / max(len(served_by), 1)


def delivery_cost(problem: Problem, log: RequestLog, served_by: np.ndarray) -> float:
    """Sum of the bytes times the cost per byte from the site that served them."""
    carried = pair_bytes(problem, log, served_by)
    return float(carried[carried > 0] @ problem.cost_per_byte[carried > 0])


def region_offload(problem: Problem, log: RequestLog, served_by: np.ndarray) -> np.ndarray:
    """(R,) offload of each region, NaN where it asked for no bytes."""
    carried = pair_bytes(problem, log, served_by)
    total = carried.sum(axis=0)
    return np.divide(carried[:-1].sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0)


def pair_bytes(problem: Problem, log: RequestLog, served_by: np.ndarray) -> np.ndarray:
    """(S + 1, R) bytes from each site to each region."""
    shape = problem.cost_per_byte.shape
    pair = served_by.astype(np.int64) * shape[1] + log.region
    return np.bincount(pair, weights=log.bytes, minlength=shape[0] * shape[1]).reshape(shape)


def site_bytes(problem: Problem, log: RequestLog, served_by: np.ndarray) -> np.ndarray:
    """(S + 1, 24) bytes from each site in each UTC hour of the day."""
    shape = (problem.n_caches + 1, HOURS_PER_DAY)
    cell = served_by.astype(np.int64) * HOURS_PER_DAY + log.hour
    return np.bincount(cell, weights=log.bytes, minlength=shape[0] * shape[1]).reshape(shape)


def link_bytes(problem: Problem, log: RequestLog, served_by: np.ndarray) -> np.ndarray:
    """(2 L, 24) bytes over each directed link in each UTC hour of the day, along the serving paths."""
    n_pairs = problem.cost_per_byte.size
    pair = served_by.astype(np.int64) * len(problem.region_index) + log.region
    carried = np.bincount(pair * HOURS_PER_DAY + log.hour, weights=log.bytes, minlength=n_pairs * HOURS_PER_DAY)
    return problem.path_links.T @ carried.reshape(n_pairs, HOURS_PER_DAY)


def peak_bps(problem: Problem, log: RequestLog, served_by: np.ndarray) -> np.ndarray:
    """(S + 1,) mean bit/s of each site's busiest clock hour; hours of different days are kept apart."""
    hours, hour = np.unique(log.time_us // (SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND), return_inverse=True)
    shape = (problem.n_caches + 1, max(len(hours), 1))
    cell = served_by.astype(np.int64) * shape[1] + hour
    by_hour = np.bincount(cell, weights=log.bytes, minlength=shape[0] * shape[1]).reshape(shape)
    return by_hour.max(axis=1) * BITS_PER_BYTE / SECONDS_PER_HOUR

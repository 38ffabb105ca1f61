"""Traces: read in chunks of bounded memory, ids made dense, and replayed through many single caches in one pass."""

from cdn.traces.formats import TRACE_READERS, read_trace
from cdn.traces.pieces import HeldTrace, hold_trace
from cdn.traces.replays import CacheCounts, TraceCounts, replay_trace

__all__ = ["TRACE_READERS", "CacheCounts", "HeldTrace", "TraceCounts", "hold_trace", "read_trace", "replay_trace"]

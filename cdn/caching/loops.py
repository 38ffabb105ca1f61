"""The loops that replay a stream through one cache, made for each policy from one text.

A loop is compiled with the policy's steps in place of the names ``lookup``, ``insert`` and ``remove``. What is compiled
is kept beside the policy's module, under the policy's name and a digest of the sources (``cdn.compilation``).
"""

from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from cdn.caching.admission import Admission
from cdn.caching.policy import Policy
from cdn.caching.prefetching import prefetch
from cdn.compilation import digest_of_imports, step

AHEAD, NEIGHBOURS_AHEAD, STREAM_AHEAD = 16, 8, 64
NEVER = 2**62

# Bound to those of a policy when a loop is made.
lookup: Any = None
insert: Any = None
remove: Any = None
admit: Any = None
observe: Any = None
foresee: Any = None
LOOKS_AHEAD = LINKED = FORESEES = False


def is_guarded(admission: Admission, ttl_s: float | None) -> bool:
    """Whether not every miss is stored for as long as the policy keeps it."""
    return admission.name != "none" or ttl_s is not None


def lifetime(ttl_s: float | None, ticks_per_s: int = 1) -> int:
    """Ticks that an object lives; without ``ttl_s`` more than there are. Raises ValueError for a negative time."""
    if ttl_s is not None and not ttl_s >= 0:
        raise ValueError(f"ttl_s must not be negative, but is {ttl_s}")
    return NEVER // 2 if ttl_s is None else int(min(ttl_s * ticks_per_s, NEVER // 2))


def replay(state, ids, next_uses, hit):
    """Every miss asks for the object to be stored."""
    objects = state[0]
    last = len(ids) - 1
    for k in range(len(ids)):
        prefetch(objects, ids[min(k + AHEAD, last)])
        if LINKED:
            near = ids[min(k + NEIGHBOURS_AHEAD, last)]
            prefetch(objects, max(objects[near].newer, 0))
            prefetch(objects, max(objects[near].older, 0))
        if FORESEES:
            prefetch(ids, k + STREAM_AHEAD)
            prefetch(next_uses, k + STREAM_AHEAD)
            foresee(state, next_uses[min(k + AHEAD, last)])
        i = ids[k]
        next_use = next_uses[k] if LOOKS_AHEAD else 0
        hit[k] = lookup(state, i, next_use)
        if not hit[k]:
            insert(state, i, next_use)


def replay_guarded(state, gate, ids, times, next_uses, expires, ttl_s, hit):
    """An admission policy decides which misses do; an object is gone ``ttl_s`` seconds after it was stored."""
    objects = state[0]
    for k in range(len(ids)):
        i = ids[k]
        next_use = next_uses[k] if LOOKS_AHEAD else 0
        if expires[i] < times[k]:
            remove(state, i)
            expires[i] = NEVER
        hit[k] = lookup(state, i, next_use)
        observe(gate, i, objects[i].size_bytes)
        if not hit[k] and admit(gate, i, objects[i].size_bytes) and insert(state, i, next_use):
            expires[i] = times[k] + ttl_s


@cache
def plain_loop(policy: Policy) -> Any:
    """``replay`` for a policy."""
    return step(bound(replay, policy.name, policy, Path(__file__)))


@cache
def guarded_loop(policy: Policy, admission: Admission) -> Any:
    """``replay_guarded`` for a policy and an admission policy."""
    sources = Path(__file__), Path(admission.source)
    name = f"{policy.name}_{admission.name}"
    return step(bound(replay_guarded, name, policy, *sources, admit=admission.admit, observe=admission.observe))


def bound(loop: Any, name: str, policy: Policy, *sources: Path, **names: Any) -> FunctionType:
    """The loop with the policy's names, as if it were written in the policy's file."""
    digests = "_".join(digest_of_imports(source)[:8] for source in sources)
    name = f"{loop.__name__}_{name}_{digests}".replace("-", "_")
    code = loop.__code__.replace(co_filename=policy.source, co_name=name, co_qualname=name)
    values = {
        **loop.__globals__,
        "lookup": policy.lookup,
        "insert": policy.insert,
        "remove": policy.remove,
        "foresee": policy.foresee,
        "LOOKS_AHEAD": policy.looks_ahead,
        "FORESEES": policy.foresee is not None,
        "LINKED": "newer" in (policy.blank.dtype.names or ()),
        **names,
    }
    return FunctionType(code, values, name)

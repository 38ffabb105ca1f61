"""A trace is streamed: however long it is, a few chunks of it are alive at once."""

import weakref

import numpy as np
import pyarrow as pa
import pytest

from cdn.traces import oracle_general as binary
from cdn.traces import read_trace, replay_trace

CHUNK = 500


def write_trace(path, n_requests):
    rows = np.zeros(n_requests, dtype=binary.RECORD)
    rows["id"], rows["size_bytes"], rows["next_use"] = np.arange(n_requests) % 100, 10, np.arange(n_requests) + 100
    content = rows.tobytes()
    path.write_bytes(pa.Codec("zstd").compress(content).to_pybytes() if path.suffix == ".zst" else content)
    return path


def watched(chunks, most):
    """The chunks; ``most`` collects how many of them are alive."""
    alive = weakref.WeakSet()
    for chunk in chunks:
        alive.add(chunk)
        most.append(len(alive))
        yield chunk


@pytest.mark.parametrize("name", ["t.oracleGeneral.bin", "t.oracleGeneral.zst"])
@pytest.mark.parametrize("threads", [1, 2])
def test_as_many_chunks_live_in_a_long_trace_as_in_a_short_one(name, threads, tmp_path, monkeypatch):
    monkeypatch.setattr(binary, "REQUESTS_PER_CHUNK", CHUNK)
    for n_chunks in (5, 50):
        most = []
        chunks = watched(read_trace(write_trace(tmp_path / name, n_chunks * CHUNK)), most)
        counts, whole = replay_trace(chunks, [("lru", 500), ("belady", 500)], threads=threads)
        assert len(most) == n_chunks and max(most) <= 3
        assert whole.objects == 100 and {count.requests for count in counts} == {n_chunks * CHUNK}

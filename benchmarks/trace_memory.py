"""Peak memory of ``cdn cache`` on a trace and on one ten times as long with the same objects: it should be the same.

    python benchmarks/trace_memory.py            3 M and 30 M requests for 300,000 objects, oracleGeneral with zstd

The resident set's peak is the child's own (Linux), interpreter and compiled code included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from multiprocessing import Process, Queue
from pathlib import Path

import numpy as np
import pyarrow as pa

from cdn.traces.oracle_general import RECORD

PIECE = 1_000_000
POLICIES = "lru,sieve,belady"


def write_trace(path: Path, n_requests: int, n_objects: int) -> None:
    """Round after round through all objects, each time in the order of a new shift, compressed piece by piece."""
    with pa.output_stream(str(path), compression="zstd") as stream:
        for first in range(0, n_requests, PIECE):
            k = np.arange(first, min(first + PIECE, n_requests))
            rows = np.zeros(len(k), dtype=RECORD)
            rows["time"], rows["id"] = k // 1000, (k + k // n_objects) % n_objects
            rows["size_bytes"], rows["next_use"] = 100 + rows["id"] % 9000, k + n_objects - 1
            stream.write(rows.tobytes())


def replay(path: Path, found: Queue) -> None:
    """Runs the verb as its own process and reports requests and the peak in MB."""
    words = [sys.executable, "-m", "cdn", "cache", str(path), "--policy", POLICIES, "--size-bytes", "1e8", "--json",
             "--threads", "1", "--quiet"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    found.put((json.loads(done.stdout)[0]["requests"], peak_kb / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3_000_000)
    parser.add_argument("--objects", type=int, default=300_000)
    given = parser.parse_args()
    print(f"cdn cache --policy {POLICIES}, {given.objects:,} objects, oracleGeneral with zstd")
    print("\n| requests | as records | peak memory |\n|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for n_requests in (given.requests, 10 * given.requests):
            path = Path(folder) / "trace.oracleGeneral.zst"
            write_trace(path, n_requests, given.objects)
            found: Queue = Queue()
            process = Process(target=replay, args=(path, found))
            process.start()
            requests, peak_mb = found.get()
            process.join()
            print(f"| {requests:,} | {requests * RECORD.itemsize / 1e6:,.0f} MB | {peak_mb:,.0f} MB |", flush=True)


if __name__ == "__main__":
    main()

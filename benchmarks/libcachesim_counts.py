"""Runs libCacheSim 0.3.5 on the seeded traces and writes what it misses: tests/caching/libcachesim_counts.csv.

    python -m venv peer && peer/bin/pip install libcachesim==0.3.5 numpy
    peer/bin/python benchmarks/libcachesim_counts.py

libCacheSim (GPL-3) is only run, as a program of its own; nothing of it is part of this project.
"""

import csv
import multiprocessing
import sys
import tempfile
from pathlib import Path

import libcachesim
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "caching"))
from seeded_traces import CAPACITY_SHARES, TRACES, capacities  # noqa: E402

TABLE = ROOT / "tests" / "caching" / "libcachesim_counts.csv"
RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size_bytes", "<u4"), ("next", "<i8")])
PEERS = {
    "fifo": libcachesim.FIFO, "lru": libcachesim.LRU, "clock": libcachesim.Clock, "sieve": libcachesim.Sieve,
    "lfu": libcachesim.LFU, "lfuda": libcachesim.LFUDA, "slru": libcachesim.SLRU, "2q": libcachesim.TwoQ,
    "arc": libcachesim.ARC, "s3fifo": libcachesim.S3FIFO, "wtinylfu": libcachesim.WTinyLFU, "gdsf": libcachesim.GDSF,
    "belady": libcachesim.Belady, "lhd": libcachesim.LHD,
}  # fmt: skip
ADMISSIONS = {
    "bloom": lambda: libcachesim.BloomFilterAdmissioner(),
    "size": lambda: libcachesim.SizeAdmissioner(2000),
}
# It does not end at lfuda's smaller sizes; further ones take their place.
MORE_SHARES = {("skewed", "lfuda"): (0.05, 0.4, 0.6), ("drifting", "lfuda"): (0.04, 0.2)}
TIME_LIMIT_S = 60


def records(ids, size_bytes):
    """The trace in libCacheSim's ``oracleGeneral`` format; -1 where an object is not asked for again."""
    rows = np.zeros(len(ids), dtype=RECORD)
    rows["time"], rows["id"], rows["size_bytes"] = np.arange(len(ids)) // 100, ids + 1, size_bytes[ids]
    following = {}
    for k in range(len(ids) - 1, -1, -1):
        rows["next"][k] = following.get(ids[k], -1)
        following[ids[k]] = k
    return rows


def run(policy, admission, path, capacity_bytes, results):
    reader = libcachesim.TraceReader(str(path), libcachesim.TraceType.ORACLE_GENERAL_TRACE)
    gate = ADMISSIONS[admission]() if admission != "none" else None
    results.put(PEERS[policy](capacity_bytes, admissioner=gate).process_trace(reader))


def counts(policy, admission, path, capacity_bytes, n_requests, request_bytes):
    """(misses, missed_bytes), or None where libCacheSim crashes or does not end."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=run, args=(policy, admission, path, capacity_bytes, results))
    process.start()
    process.join(TIME_LIMIT_S)
    if process.exitcode != 0:
        process.kill()
        return None
    of_requests, of_bytes = results.get()
    return round(of_requests * n_requests), round(of_bytes * request_bytes)


def main():
    with tempfile.TemporaryDirectory() as folder, TABLE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["trace", "policy", "admission", "capacity_bytes", "misses", "missed_bytes"])
        for trace, make in TRACES.items():
            ids, size_bytes = make()
            path = Path(folder) / f"{trace}.oracleGeneral.bin"
            records(ids, size_bytes).tofile(path)
            request_bytes = int(size_bytes[ids].sum())
            runs = [(policy, "none") for policy in PEERS] + [("lru", "bloom"), ("lru", "size"), ("arc", "bloom")]
            for policy, admission in runs:
                more = MORE_SHARES.get((trace, policy), ())
                for capacity_bytes in capacities(ids, size_bytes, (*CAPACITY_SHARES, *more)):
                    found = counts(policy, admission, path, capacity_bytes, len(ids), request_bytes)
                    if found is None:
                        print(f"libCacheSim's {policy} failed: {trace}, {capacity_bytes} bytes", file=sys.stderr)
                    else:
                        table.writerow([trace, policy, admission, capacity_bytes, *found])


if __name__ == "__main__":
    main()

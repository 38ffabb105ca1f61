"""Our PFOO-L and PFOO-U beside the authors' own PFOO-L (github.com/dasebe/optimalwebcaching, BSD).

    g++ -O2 -std=c++11 -I.. -I../../lib -o pfool pfool.cpp lib/*.cpp     in OHRgoal/PFOO-L and in BHRgoal/PFOO-L
    python benchmarks/bounds_peers.py CHECKOUT

Theirs prints hits by requests at powers of two, and byte hits at the size asked for.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from bounds import zipf_trace

from cdn.caching import simulate_cache
from cdn.caching.bounds import bound_hits

POWERS, SHARES = range(24, 30), (0.01, 0.03, 0.1, 0.3, 0.6)


def peer_requests(checkout: Path, trace: Path, largest_bytes: int) -> dict[int, int]:
    """Hits by capacity."""
    out = trace.with_suffix(".out")
    subprocess.run([checkout / "OHRgoal/PFOO-L/pfool", trace, str(largest_bytes), out], check=True, capture_output=True)
    rows = [line.split() for line in out.read_text().splitlines()]
    return {int(float(row[1])): int(row[2]) for row in rows}


def peer_byte_ratio(checkout: Path, trace: Path, capacity_bytes: int) -> float:
    done = subprocess.run([checkout / "BHRgoal/PFOO-L/pfool", trace, str(capacity_bytes)], check=True,
                          capture_output=True, text=True)
    return float(re.findall(r"bhr (\S+)", done.stdout)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    checkout = parser.parse_args().checkout
    ids, sizes = zipf_trace(200_000, 20_000, 0.9, 1)
    total, footprint = int(sizes[ids].sum()), int(sizes[np.unique(ids)].sum())
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        np.savetxt(trace, np.column_stack([np.arange(len(ids)), ids, sizes[ids]]), fmt="%d")
        theirs = peer_requests(checkout, trace, 2 ** (POWERS[-1] + 2))
        print("| cache | request hits: authors' PFOO-L | PFOO-L | PFOO-U |\n|---:|---:|---:|---:|")
        for capacity in (2**power for power in POWERS):
            ours = [bound_hits(name, ids, sizes, capacity, "requests") for name in ("pfoo_l", "pfoo_u")]
            print(f"| {100 * capacity / footprint:.1f} % | {theirs[capacity]:,} | {ours[0]:,} | {ours[1]:,} |")
        print("\n| cache | byte hit ratio: authors' PFOO-L | PFOO-L | PFOO-U | lfu |\n|---:|---:|---:|---:|---:|")
        for share in SHARES:
            capacity = int(share * footprint)
            hit = simulate_cache("lfu", ids, sizes, capacity)
            ours = [bound_hits(name, ids, sizes, capacity, "bytes") for name in ("pfoo_l", "pfoo_u")]
            cells = [peer_byte_ratio(checkout, trace, capacity), *(hits / total for hits in ours),
                     int(sizes[ids[hit]].sum()) / total]
            print(f"| {100 * share:g} % | {' | '.join(f'{100 * cell:.2f} %' for cell in cells)} |")


if __name__ == "__main__":
    main()

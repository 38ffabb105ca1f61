"""Measurements in processes of their own, one at a time, and Markdown tables of what they print."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
GRACE_S = 600.0
"""What building, judging and a solver slow to stop may take beside the time limit."""
TOO_LONG = "did not stop"
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Children:
    """Runs the scripts beside this one. What a child printed is kept in the file ``keep``, where there is one, and not
    measured again: other solvers need an hour and do not change when we do."""

    method: str
    threads: int
    limit_s: float
    keep: Path | None = None

    def place(self, instance: str, *words: object, method: str | None = None, threads: int | None = None) -> dict:
        """Our placer (or another of ``PLACERS``) on an instance."""
        threads = threads or self.threads
        words = (instance, method or self.method, "--threads", threads, "--time-limit", self.limit_s, *words)
        return self._run("placement_runs.py", words, threads)

    def solve_relaxation(self, instance: str, solver: str, tolerance: float, threads: int, limit_s: float) -> dict:
        """Another solver on an instance's relaxation; kept where measurements are kept."""
        words = (instance, solver, "--tolerance", tolerance, "--threads", threads, "--time-limit", limit_s)
        name = " ".join(map(str, words))
        kept = json.loads(self.keep.read_text()) if self.keep and self.keep.exists() else {}
        if name in kept:
            return kept[name]
        measured = self._run("placement_peers.py", words, threads, limit_s)
        if self.keep and measured.get("failed", TOO_LONG) == TOO_LONG:
            kept[name] = measured | {"measured": time.strftime("%Y-%m-%d %H:%M")}
            self.keep.write_text(json.dumps(kept, indent=1))
        return measured

    def compile_seconds(self, instance: str) -> tuple[float, float]:
        """Seconds of a whole process that places and judges, with nothing compiled yet and with everything compiled."""
        seconds = []
        with tempfile.TemporaryDirectory() as empty:
            for _ in range(2):
                started = time.perf_counter()
                words = (instance, self.method, "--threads", self.threads)
                self._run("placement_runs.py", words, self.threads, NUMBA_CACHE_DIR=empty)
                seconds.append(time.perf_counter() - started)
        return seconds[0], seconds[1]

    def _run(self, script: str, words: Sequence, threads: int, limit_s: float | None = None, **environment) -> dict:
        """The JSON object a script prints; {"failed": why} where it prints none."""
        command = [sys.executable, str(HERE / script), *map(str, words)]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | environment
        print("  " + " ".join(command[2:]), file=sys.stderr, flush=True)
        try:
            ended = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=(limit_s or self.limit_s) + GRACE_S
            )
        except subprocess.TimeoutExpired:
            return {"failed": TOO_LONG}
        if ended.returncode:
            print(ended.stderr, file=sys.stderr)
            return {"failed": (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]}
        return json.loads(ended.stdout.strip().splitlines()[-1])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table, the first column to the left and the others to the right."""
    print("\n| " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def percent(share: float | None, digits: int = 3) -> str:
    return "" if share is None else f"{100 * share:.{digits}f} %"


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}" if value < 10 else f"{value:,.1f}"


def number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"

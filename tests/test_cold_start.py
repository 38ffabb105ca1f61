"""A helper compiles, from a tiny problem, what the placer needs last: for the same types, or for nothing."""

import subprocess
import sys

import numpy as np
import pytest
from instances import random_problem

from cdn import cold_start
from cdn.cold_start import PARTS, WHOLE, shared_cold_start
from cdn.placement.decomposition.groups import MOST_ENTRIES
from cdn.placement.decomposition.parts import settle_parts
from cdn.placement.decomposition.proving import prove_chunk

SIGNATURES = """
import gc, sys
import numpy as np
from numba.core.registry import CPUDispatcher
sys.path.insert(0, "benchmarks")
from placement_instances import builders
from cdn.cold_start import compile_backwards
from cdn.planning import plan_placement

def ours():
    found = (found for found in gc.get_objects() if isinstance(found, CPUDispatcher))
    return {f"{of.py_func.__module__}.{of.py_func.__name__}": of for of in found if of.__module__.startswith("cdn.")}

def kernels():
    return {(name, signature) for name, of in ours().items() for signature in of.signatures
            if not of.targetoptions.get("no_cpython_wrapper")}

compile_backwards(sys.argv[1])
before = kernels()
assert before
plan_placement(builders()[sys.argv[2]](), "decomposition", threads=1, time_limit_s=1.0)
print(*sorted({name for name, _ in kernels() - before}))
print(*sorted(name for name, of in ours().items() if len(of.signatures) > 1))
"""
FIRST_NEEDED = {"cdn.placement.decomposition.passes._price_chunk"}
"""What the placer compiles itself meanwhile."""
NOT_WORTH_IT = {
    "cdn.model.branching.count_entries",
    "cdn.placement.decomposition.trees._copy_runs",
    "cdn.placement.fitting._take",
}
"""Compiled in a blink, and only where there is something to do."""
OF_ANY_TYPE = {"cdn.placement.decomposition.copying.copy_first", "cdn.placement.decomposition.trees._grown"}


@pytest.mark.parametrize(("kind", "instance"), [(WHOLE, "small"), (PARTS, "growth-1k")])
def test_the_helper_compiles_all_but_what_the_placer_needs_first_and_nothing_twice(kind, instance):
    done = subprocess.run(
        [sys.executable, "-c", SIGNATURES, kind, instance],
        cwd=cold_start.__file__.rpartition("/cdn/")[0],
        capture_output=True,
        text=True,
        check=True,
    )
    late, of_several_types = (set(line.split()) for line in done.stdout.splitlines())
    assert late <= FIRST_NEEDED | NOT_WORTH_IT
    assert of_several_types <= OF_ANY_TYPE | NOT_WORTH_IT


def test_a_helper_runs_only_where_nothing_is_kept_and_never_longer_than_the_placer(monkeypatch):
    started = []

    class Helper(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__([command[0], "-c", "import time; time.sleep(600)"], **options)
            started.append((self, command))

    monkeypatch.setattr(subprocess, "Popen", Helper)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    problem, said = random_problem(np.random.default_rng(1)), []
    for kept, processors in ((True, 2), (None, 2), (False, 1)):
        monkeypatch.setattr(cold_start, "is_kept", lambda kernel, kept=kept: kept)
        monkeypatch.setattr("os.cpu_count", lambda processors=processors: processors)
        with shared_cold_start(problem, said.append):
            assert not started and not said
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with shared_cold_start(problem, said.append):
        helper, command = started[0]
        assert helper.poll() is None and command[-1] == WHOLE
    assert helper.poll() is not None and said == ["compiling kernels, once"]


@pytest.mark.parametrize(("n_regions", "needed"), [(MOST_ENTRIES, prove_chunk), (MOST_ENTRIES + 1, settle_parts)])
def test_large_blocks_are_a_cold_start_of_their_own(monkeypatch, n_regions, needed):
    asked = []
    monkeypatch.setattr(cold_start, "is_kept", asked.append)
    with shared_cold_start(cold_start._tiny_problem(n_regions), None):
        assert asked == [needed]

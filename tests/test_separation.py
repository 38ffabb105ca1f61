"""Separate routines are compiled once, called by name, and ready before what calls them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cdn import compilation, separation
from cdn.compilation import kernel, routine, separate

TRIPLING = """
from cdn.compilation import routine, separate

@routine
def more(x):
    return x + 1

@{how}
def triple(x):
    if x < 0:
        raise ValueError("negative")
    return 3 * x
"""
RUNNING = """
from cdn.compilation import kernel, routine
from cdn.tripling import more, triple

@routine
def twice(x):
    return triple(triple(x))

@kernel
def run(x):
    return more(twice(x))
"""
SCRIPT = """
from cdn.running import run
from cdn.tripling import triple
print(run(1), run(2.0))
print(*(sum(of.stats.cache_hits.values()) for of in (run, triple)))
if not sum(run.stats.cache_hits.values()):
    print("\\n".join(run.inspect_llvm().values()))
"""


@pytest.fixture
def package(tmp_path) -> Path:
    """``run`` calls a routine that calls ``triple`` of another module."""
    package = tmp_path / "cdn"
    package.mkdir()
    for module in (compilation, separation):
        shutil.copy(module.__file__, package)
    (package / "__init__.py").write_text("")
    write(package, "separate")
    (package / "running.py").write_text(RUNNING)
    return package


def write(package: Path, how: str) -> None:
    (package / "tripling.py").write_text(TRIPLING.format(how=how))


def run(package: Path, script: str = SCRIPT) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = clean | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(package.parent)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=package.parent, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def kinds(llvm: list[str], name: str) -> set[str]:
    """Whether code of a function is there ("define") or its name alone ("declare")."""
    return {line.split()[0] for line in llvm if re.match(rf"(define|declare) .*\d{name}B", line)}


def test_callers_of_a_separate_routine_have_its_name_only(package):
    answer, hits, *llvm = run(package)
    assert (answer, hits) == ("10 19.0", "0 0")
    assert kinds(llvm, "triple") == {"declare"} and "declare" not in kinds(llvm, "more") | kinds(llvm, "twice")
    write(package, "routine")
    answer, _, *llvm = run(package)
    assert answer == "10 19.0" and "declare" not in kinds(llvm, "triple")


def test_code_on_disk_runs_with_the_routines_it_was_compiled_for(package):
    run(package)
    assert run(package) == ["10 19.0", "2 2"]


@pytest.mark.parametrize("ends", ["nbi", "nbc"])
def test_callers_of_a_routine_that_is_no_longer_on_disk_are_compiled_again(package, ends):
    # Compiled as another process would: under another number than the first time.
    run(package, "from cdn.tripling import more; more.compile('float32(float32)')\n" + SCRIPT)
    lost = list(package.rglob(f"tripling.triple-*.{ends}"))
    assert lost
    for path in lost:
        path.unlink()
    answer, hits, *_ = run(package)
    assert (answer, hits) == ("10 19.0", "0 0")
    assert run(package) == ["10 19.0", "2 2"]


def test_errors_pass_through(package):
    script = "from cdn.running import run\ntry: run(-1)\nexcept ValueError as error: print(error)"
    assert run(package, script) == run(package, script) == ["negative"]


@pytest.mark.parametrize("decorator", [separate, routine])
def test_what_is_no_function_of_a_module_is_linked(decorator):
    @decorator
    def halve(x):
        return x / 2

    @kernel
    def quarter(x):
        return halve(halve(x))

    assert quarter(8.0) == 2.0


def test_where_numba_links_in_another_way_routines_are_linked_as_others_are(package):
    script = "from cdn import separation\nseparation._is_possible = lambda: False\n" + SCRIPT
    answer, _, *llvm = run(package, script)
    assert answer == "10 19.0" and "declare" not in kinds(llvm, "triple")

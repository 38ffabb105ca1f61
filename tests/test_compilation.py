"""Compiled code is kept on disk, and never runs once anything it was made from has changed."""

import gc
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
import pytest
from numba import types

from cdn import compilation, separation
from cdn.compilation import imported_files, kernel, routine

PACKAGE = Path(compilation.__file__).parent
SOURCES = {
    "__init__.py": "",
    "sizes.py": "SIZE = 10\n",
    "adding.py": "from cdn.compilation import kernel\nfrom cdn.sizes import SIZE\n\n\n"
    "@kernel\ndef add(x):\n    return x + SIZE\n",
    "other.py": "NUMBER = 1\n",
    "deep/__init__.py": "",
    "deep/running.py": "from cdn.adding import add\nfrom cdn.compilation import kernel\n\n\n"
    "@kernel\ndef run(x):\n    return add(x)\n",
}


@pytest.fixture
def small(tmp_path) -> Path:
    """A package of the same name: its kernel ``run`` calls ``add`` of another module, which adds a third's constant."""
    package = tmp_path / "cdn"
    (package / "deep").mkdir(parents=True)
    for module in (compilation, separation):
        shutil.copy(module.__file__, package)
    for name, text in SOURCES.items():
        (package / name).write_text(text, encoding="utf-8")
    return package


def run(package: Path, **environment: str) -> tuple[int, bool]:
    """What ``run(1)`` gives in a process of its own, and whether its code was found on disk."""
    script = "from cdn.deep.running import run; print(run(1), sum(run.stats.cache_hits.values()))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = {**clean, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(package.parent), **environment}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=package.parent, env=environment, capture_output=True, text=True, check=True
    )
    value, hits = done.stdout.split()
    return int(value), hits != "0"


def test_two_processes_never_compile_the_same(small):
    """Both begin at once; whoever comes second waits, and finds it on disk."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(run, [small, small]))
    assert sorted(both) == [(11, False), (11, True)]


def test_what_is_kept_is_known(small, tmp_path):
    script = (
        "from cdn.compilation import is_kept as k; from cdn.deep.running import run; print(k(run), run(1), k(run))"
    )

    def ask(**environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        environment = {**clean, "PYTHONPATH": str(small.parent), "NUMBA_CACHE_DIR": str(tmp_path), **environment}
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, cwd=small.parent, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert [ask(), ask()] == ["False 11 True", "True 11 True"]
    assert ask(NUMBA_DISABLE_JIT="1") == "None 11 None"
    change(small, "sizes.py", "10", "20")
    assert ask() == "False 21 True"


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.nb?"))


def change(package: Path, name: str, old: str, new: str) -> None:
    text = (package / name).read_text(encoding="utf-8")
    assert old in text
    (package / name).write_text(text.replace(old, new), encoding="utf-8")


def test_code_is_kept_until_something_it_was_made_from_changes(small):
    assert run(small) == (11, False)
    assert run(small) == (11, True)
    change(small, "sizes.py", "10", "20")
    assert run(small) == (21, False)
    files = kept(small)
    assert len(files) == 4, "an index and the code of each of both kernels"
    change(small, "adding.py", "x + SIZE", "x - SIZE")
    assert run(small) == (-19, False)
    change(small, "other.py", "1", "2")
    assert run(small) == (-19, True)
    change(small, "deep/running.py", "@kernel", "\n\n@kernel")
    assert run(small) == (-19, False)
    assert len(kept(small)) == 4 and not set(kept(small)) & set(files), "files of older versions are removed"


def test_it_is_kept_where_numba_is_told_to(small, tmp_path):
    given = tmp_path / "given"
    assert run(small, NUMBA_CACHE_DIR=str(given)) == (11, False)
    assert kept(given) and not kept(small)
    change(small, "sizes.py", "10", "20")
    assert run(small, NUMBA_CACHE_DIR=str(given)) == (21, False)
    assert run(small, NUMBA_CACHE_DIR=str(given)) == (21, True)


def test_an_installation_that_cannot_be_written_to(small, tmp_path):
    """A file stands where the folder for compiled code would be: first beside the sources, then at the user's too."""
    for folder in (small, small / "deep"):
        (folder / "__pycache__").write_text("")
    user = {"XDG_CACHE_HOME": str(tmp_path / "user"), "HOME": str(tmp_path / "user")}
    assert run(small, **user) == (11, False)
    assert run(small, **user) == (11, True)
    change(small, "sizes.py", "10", "20")
    assert run(small, **user) == (21, False)
    (tmp_path / "nowhere").write_text("")
    nowhere = {"XDG_CACHE_HOME": str(tmp_path / "nowhere"), "HOME": str(tmp_path / "nowhere")}
    assert run(small, **nowhere) == run(small, **nowhere) == (21, False)


def test_other_users_of_numba_see_nothing_of_it():
    before = numba.config.CACHE_LOCATOR_CLASSES

    @kernel
    def double(x):
        return 2 * x

    assert double(2) == 4 and double.py_func(3) == 6
    assert before == numba.config.CACHE_LOCATOR_CLASSES


def test_what_a_module_may_import(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("import cdnx\nfrom cdn.model.index import (\n    Index,\n)\n    from cdn import caching\n")
    assert {PACKAGE / "model" / "index.py", PACKAGE / "caching" / "lru.py"} <= set(imported_files(module))
    module = tmp_path / "other.py"
    module.write_text('"""\nfrom cdn.nowhere import x\n"""\nimport cdn.units as units\nfrom cdn.caching import lru\n')
    caching = (PACKAGE / "caching").rglob("*.py")
    assert set(imported_files(module)) == {PACKAGE / "units.py", *caching}


def test_every_kernel_is_compiled_so():
    direct = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bn?jit\b", path.read_text(encoding="utf-8")) and path.name != "compilation.py"
    }
    assert not direct


def test_numba_is_not_loaded_before_a_verb_needs_it():
    script = "import sys, cdn.cli; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=PACKAGE.parent, check=True)


@routine
def doubled(x):
    return 2 * x


@kernel
def double_constants(x):
    return doubled(1) + doubled(2) + doubled(x) + doubled(np.int32(x))


def test_a_kernel_is_compiled_once_for_all_constants_and_widths_of_integers():
    assert double_constants(3) == 18
    assert doubled.signatures == [(types.int64,)]


def test_garbage_is_collected_again_once_a_kernel_is_compiled_or_fails_to():
    @kernel
    def add(x, y):
        return x + y

    assert gc.isenabled() and add(1, 2) == 3 and gc.isenabled()
    with pytest.raises(numba.TypingError):
        add(1, "one")
    assert gc.isenabled()

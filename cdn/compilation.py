"""The decorator of all kernels: compiled by numba on first call, and kept on disk for as long as their sources stay.

numba alone keeps compiled code until the kernel's own file changes; where that calls a kernel or reads a constant of
another file, code made from an older version of that would go on running. Here code is kept only while no module of the
package changes that the kernel's module imports, however indirectly.

It is kept where numba keeps it: in ``NUMBA_CACHE_DIR`` if that is set, else in ``__pycache__`` beside the source, else
(an installation that cannot be written to) in the user's cache folder; where that fails too, every process compiles
anew. The files' names have a digest of the sources, so that not even processes of an older and a newer version that run
at the same time take each other's; what is there of other versions is removed.

Each function is compiled by one process at a time: others that need it wait, and then find it on disk. So two processes
that begin at different ends share the work of a cold start (``cdn.cold_start``).

With ``NUMBA_DISABLE_JIT=1`` everything stays Python, for a debugger to walk through.
"""

import fcntl
import gc
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numba
from numba.core import caching, types

from cdn.separation import forget_what_is_not_kept, keep_separate

_CONFIG: Any = numba.config
_PACKAGE = Path(__file__).resolve().parent
_IMPORT = re.compile(rb"^\s*(?:from|import)\s+" + _PACKAGE.name.encode() + rb"\b((?:\.\w+)*)", re.MULTILINE)
_LOCK = Lock()
_NARROW = (types.int8, types.int16, types.int32, types.uint8, types.uint16, types.uint32)
_LOCATORS = ("_Given", "_BesideSource", "_OfUser")


def kernel(function: Callable) -> Any:
    """The function compiled, without the interpreter's lock."""
    return function if _CONFIG.DISABLE_JIT else _for_any_constant(_compiled(function))


def routine(function: Callable) -> Any:
    """A part of kernels that Python never calls: compiled without what that would take, which is most of the code where
    arguments are tuples of many arrays."""
    return function if _CONFIG.DISABLE_JIT else _for_any_constant(_compiled(function, no_cpython_wrapper=True))


def separate(function: Callable) -> Any:
    """A routine with much to do in each call: its callers call it where it is (``cdn.separation``)."""
    return function if _CONFIG.DISABLE_JIT else keep_separate(routine(function))


def inlined(function: Callable) -> Any:
    """A part of kernels that is called at one place: compiled as if it stood there. A routine is optimised and made
    into machine code by itself, and then again in each routine above it. For short ones: copying takes numba long."""
    return function if _CONFIG.DISABLE_JIT else _compiled(function, no_cpython_wrapper=True, inline="always")


def step(function: Callable) -> Any:
    """A part of kernels that runs per request: compiled into its callers, and counting no references to arrays.

    Where a call is handed arrays, numba counts references to each of them, atomically: eight times the work of a
    cache's request. Without that nothing can be allocated here, and a kernel that calls a step must be a step itself.
    """
    return function if _CONFIG.DISABLE_JIT else _compiled(function, _nrt=False, forceinline=True)


def _compiled(function: Callable, **options: Any) -> Any:
    njit: Any = numba.njit
    options["no_cfunc_wrapper"] = True  # no C code calls kernels
    with _LOCK:
        before = _CONFIG.CACHE_LOCATOR_CLASSES
        _CONFIG.CACHE_LOCATOR_CLASSES = ",".join(f"{__name__}.{name}" for name in _LOCATORS)
        try:
            compiled = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # there is nowhere to keep it
            return njit(nogil=True, **options)(function)
        finally:
            _CONFIG.CACHE_LOCATOR_CLASSES = before
    _remove_others(Path(compiled.stats.cache_path), Path(function.__code__.co_filename))
    return forget_what_is_not_kept(_in_one_process(compiled))


def _in_one_process(compiled: Any) -> Any:
    """The same function; where another process is compiling it, that is waited for, and what it keeps is loaded."""
    compile_for, folder = compiled.compile, Path(compiled.stats.cache_path)

    def compile_alone(signature: Any) -> Any:
        with _locked(folder, f"{compiled.__module__}.{compiled.__qualname__}"), _no_collection():
            return compile_for(signature)

    compiled.compile = compile_alone
    return compiled


@contextmanager
def _no_collection() -> Iterator[None]:
    """Leaves garbage where it is while it lasts: the compiler builds trees by the million, all of them in use, and
    looking through them for garbage takes a sixth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Keeps other processes out of the same name while it lasts: locks one byte of the folder's lock file. Where there
    is no locking, the work may be done twice."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])
    file = _lock_file(folder)
    if file is None:
        yield
        return
    with suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


@cache
def _lock_file(folder: Path) -> Any:
    """Open for as long as the process lives: closing it would give up all its locks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "compiling.lock").open("wb")
    except OSError:
        return None


def is_kept(compiled: Any) -> bool | None:
    """Whether code of a kernel is on disk; None where none is kept, or nothing is compiled."""
    folder = compiled.stats.cache_path if hasattr(compiled, "stats") else None
    if folder is None:
        return None
    module = Path(compiled.py_func.__code__.co_filename)
    return any(Path(folder).glob(f"{module.stem}.{compiled.__name__}-{_version_of(module)}*.nbi"))


def _for_any_constant(compiled: Any) -> Any:
    """The same function, compiled once for whatever constants and widths of integers callers have: numba would do so
    for each of them."""
    call_template = compiled.get_call_template

    def without_literals(arguments: tuple, named: dict) -> Any:
        plain = {name: _plain(given) for name, given in named.items()}
        return call_template(tuple(_plain(given) for given in arguments), plain)

    compiled.get_call_template = without_literals
    return compiled


def _plain(given: types.Type) -> types.Type:
    plain = types.unliteral(given)
    return types.int64 if plain in _NARROW else plain


class _ByImports:
    """The part of numba's locators that says which version of the sources compiled code belongs to."""

    _py_file: str

    def get_source_stamp(self) -> str:
        return digest_of_imports(Path(self._py_file))

    def get_disambiguator(self) -> str:
        """In the files' names, in place of the line number."""
        return _version_of(Path(self._py_file))


class _Given(_ByImports, caching.UserProvidedCacheLocator):
    pass


class _BesideSource(_ByImports, caching.InTreeCacheLocator):
    pass


class _OfUser(_ByImports, caching.UserWideCacheLocator):
    pass


def _version_of(module: Path) -> str:
    return f"v{digest_of_imports(module)[:16]}"


@cache
def _remove_others(folder: Path, module: Path) -> None:
    """Removes what a folder keeps of other versions of a module."""
    for path in folder.glob(f"{module.stem}.*-v*.nb[ic]"):
        if _version_of(module) not in path.name:
            with suppress(OSError):
                path.unlink()


@cache
def digest_of_imports(module: Path) -> str:
    """Digest of a module's source and of the sources of all it imports from the package, directly or not."""
    found: set[Path] = set()
    waiting = [module.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imported_files(path)
    sources = [f"{path.name} {_sha256(path)}\n" for path in sorted(found)]
    return hashlib.sha256("".join(sources).encode()).hexdigest()


@cache
def imported_files(module: Path) -> list[Path]:
    """Files of the package that a module imports: of a package in it all modules, as any of them may be meant."""
    files: list[Path] = []
    for dotted in _IMPORT.findall(module.read_bytes()):
        path = _PACKAGE.joinpath(*dotted.decode().split(".")[1:])
        files += path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return [path for path in files if path.is_file()]


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

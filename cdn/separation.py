"""Routines that are compiled once: what calls them knows their names only.

numba links the code of a routine into all that call it, and optimises and translates it there again, level by level: a
routine that five others stand on is compiled six times. That is what makes short routines fast. Of a separate one a
caller has the declaration, and the loader finds the code that is there already, as it does for functions of C.

Code kept on disk then needs the routine's to be loaded first, under the name it was compiled for. Where a routine had
to be compiled again, its callers are too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from llvmlite import binding as llvm
from numba.core.codegen import CPUCodeLibrary


class NotKeptError(Exception):
    """Code on disk calls a routine that is no longer there."""


@dataclass(frozen=True)
class _Routine:
    """One signature of a separate routine, by name. Calling it makes its code ready."""

    module: str
    name: str
    arguments: tuple
    symbol: str

    def __call__(self) -> None:
        compiled: Any = getattr(import_module(self.module), self.name)
        compiled.compile(self.arguments)
        if compiled.overloads[self.arguments].fndesc.mangled_name != self.symbol:
            raise NotKeptError(self.symbol)


class _Declared:
    """What callers of a separate routine link in place of its library: nothing, and what makes it ready."""

    def __init__(self, library: Any, routine: _Routine) -> None:
        self._library, self._reload_init = library, {routine}

    def _ensure_finalized(self) -> None:
        self._library._ensure_finalized()

    def _get_module_for_linking(self) -> Any:
        empty, code = llvm.parse_assembly(""), self._library._get_module_for_linking()
        empty.triple, empty.data_layout = code.triple, code.data_layout
        return empty


def keep_separate(compiled: Any) -> Any:
    """The same routine of a module, not linked into its callers."""
    if not _is_possible() or "<locals>" in compiled.__qualname__:
        return compiled
    compile_for: Callable[[Any], Any] = compiled.compile

    def compile_separately(signature: Any) -> Any:
        known = set(compiled.overloads)
        entry = compile_for(signature)
        for arguments in set(compiled.overloads) - known:
            made = compiled.overloads[arguments]
            routine = _Routine(compiled.__module__, compiled.__qualname__, arguments, made.fndesc.mangled_name)
            compiled.targetctx.remove_user_function(made.entry_point)
            compiled.targetctx.insert_user_function(
                made.entry_point, made.fndesc, [_Declared(made.library, routine)]
            )
        return entry

    compiled.compile = compile_separately
    return compiled


def forget_what_is_not_kept(compiled: Any) -> Any:
    """The same function; its code on disk is passed over where a routine that it calls is no longer there."""
    load = compiled._cache.load_overload

    def load_with_routines(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except NotKeptError:
            return None

    compiled._cache.load_overload = load_with_routines
    return compiled


def _is_possible() -> bool:
    """Whether this numba links libraries the way that is made use of here."""
    names = ("_get_module_for_linking", "_ensure_finalized", "add_linking_library")
    return all(hasattr(CPUCodeLibrary, name) for name in names)

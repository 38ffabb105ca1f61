"""Everything this package raises on purpose, and the exit code each error stands for.

Exit codes: 0 done, 1 bad data, 2 usage, 3 done with a shortfall under ``--strict``, 4 solver failed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FAULTS_SHOWN = 20


class CdnError(Exception):
    """Base of all errors that are reported to the user without a traceback."""

    exit_code = 1


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one input: where it stands, what was found, what was expected.

    ``row`` is the 1-based line of a CSV (the header is row 1), the 1-based record of a Parquet file,
    or a path such as ``sites[3]`` in a TOML file; None where the fault is the file's as a whole.
    """

    file: str
    row: int | str | None
    column: str | None
    value: object
    expected: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.row, self.column) if part is not None)
        found = "" if self.value is None else f"got {_shown(self.value)}, "
        return f"{place}: {found}expected {self.expected}"


class DataError(CdnError):
    """An input that cannot be used. Carries every fault found, not just the first."""

    exit_code = 1

    def __init__(self, faults: Iterable[Fault]):
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        if len(self.faults) > FAULTS_SHOWN:
            lines.append(f"... and {len(self.faults) - FAULTS_SHOWN} more faults")
        super().__init__("\n".join(lines))

    @classmethod
    def of_file(cls, file: object, expected: str, value: object = None) -> "DataError":
        """A file refused as a whole."""
        return cls([Fault(str(file), None, None, value, expected)])


class UnknownNameError(CdnError):
    """A name that is not among the known ones; lists those."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Sequence[str]):
        shown = ", ".join(sorted(known)[:40]) or "none"
        super().__init__(f"unknown {kind} {_shown(name)}; known: {shown}")


class ParameterError(CdnError, ValueError):
    """A parameter with a value that it cannot have."""

    exit_code = 2

    def __init__(self, owner: str, name: str, value: object, expected: str):
        super().__init__(f"{owner}: {name}: got {_shown(value)}, expected {expected}")


class ShortfallError(CdnError):
    """The work was done and written, but something asked for did not fit (only under ``--strict``)."""

    exit_code = 3


class SolverError(CdnError):
    """A solver gave no usable answer."""

    exit_code = 4


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

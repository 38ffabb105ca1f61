"""What the check of files found."""

from dataclasses import dataclass, field

from cdn.errors import Fault
from cdn.model.catalog import Catalog
from cdn.model.topology import Topology


@dataclass(frozen=True)
class CheckedFile:
    """One file: what it is, how much of what it holds (None where that does not apply), and what is wrong with it.

    ``bytes``: storage of a topology, footprint of a catalog, volume of logs and demand, size of what is stored or
    added (None without a catalog). ``days``: distinct UTC days of a log.
    """

    file: str
    kind: str
    rows: int | None = None
    regions: int | None = None
    sites: int | None = None
    assets: int | None = None
    bytes: int | None = None
    days: int | None = None
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """All checked files. ``notes``: what was left unchecked and why."""

    files: tuple[CheckedFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def faults(self) -> list[Fault]:
        """Every fault, in the order of the files."""
        return [fault for file in self.files for fault in file.faults]


@dataclass(frozen=True, eq=False)
class Known:
    """What the other files are held against."""

    topology: Topology | None = None
    catalog: Catalog | None = None
    given: frozenset[str] = field(default_factory=frozenset)

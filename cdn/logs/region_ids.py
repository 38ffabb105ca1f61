"""The regions that a log names, for those who have no topology."""

from collections.abc import Iterable
from pathlib import Path

from cdn.logs.readers import reader_of
from cdn.model.index import Index


def regions_of_logs(files: Iterable[Path], format_name: str = "request_log") -> Index:
    """All region ids of the good rows, in alphabetical order. Reads the logs once; raises DataError where it cannot."""
    found: set[str] = set()
    for file in files:
        for chunk in reader_of(format_name)(file):
            found.update(chunk.region_id.unique().to_pylist())
    return Index(sorted(found))

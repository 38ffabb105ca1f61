"""READERS: log format -> reader. One file per format; each turns its own lines into chunks of requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

from cdn.errors import UnknownNameError
from cdn.logs.chunks import LogChunk
from cdn.logs.request_log_files import read_request_log_file

# A reader yields a file's requests in file order. A row it cannot read is a bad row of its chunk; a file it cannot
# read is refused with DataError. It holds no more of the file in memory than a chunk.
Reader = Callable[[Path], Iterator[LogChunk]]

READERS: dict[str, Reader] = {
    "request_log": read_request_log_file,
}


def reader_of(name: str) -> Reader:
    """The reader of a log format. Raises UnknownNameError."""
    if name not in READERS:
        raise UnknownNameError("log format", name, list(READERS))
    return READERS[name]

"""Text logs in blocks of whole lines, memory bounded whatever the file holds.

A line is a request: no field may hold a line break. Fields are split by pyarrow's CSV parser; what is ours is to know
which line each row came from, and to keep a stray quote from swallowing the lines that follow it.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from cdn.errors import DataError

BLOCK_BYTES = 16 << 20
LINE_BYTES_MAX = 1 << 20
_NEWLINE, _RETURN, _QUOTE = b"\n", b"\r", b'"'
_IS_BEFORE_FIELD = np.isin(np.arange(256), list(b",\n"))
_IS_AFTER_FIELD = np.isin(np.arange(256), list(b",\r\n"))


@dataclass(frozen=True, eq=False)
class LineBlock:
    """Consecutive lines of a file. ``first_line`` is the 1-based number of the first one; ``cut`` says that the only
    line of the block was longer than ``LINE_BYTES_MAX`` and only its beginning is here."""

    data: bytes
    first_line: int
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a block. ``columns``: binary arrays (N,) of the wanted columns; ``line`` (N,) block line (0-based) of
    each; ``torn``: block lines that have another number of fields; ``starts`` (L + 1,) where each block line begins."""

    columns: dict[str, pa.Array]
    line: np.ndarray
    torn: np.ndarray
    starts: np.ndarray


def line_blocks(path: Path) -> Iterator[LineBlock]:
    """The file's lines in blocks of some ``BLOCK_BYTES``; unpacks ``.gz``. Raises DataError where it cannot be read."""
    try:
        with (gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")) as stream:
            yield from _blocks_of(stream)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError.of_file(path, f"a readable file ({' '.join(str(error).split())})") from error


def _blocks_of(stream) -> Iterator[LineBlock]:
    rest, line = b"", 1
    while read := stream.read(BLOCK_BYTES):
        data = rest + read
        end = data.rfind(_NEWLINE) + 1
        if end:
            yield LineBlock(data[:end], line)
            line += data.count(_NEWLINE, 0, end)
        rest = data[end:]
        if len(rest) > LINE_BYTES_MAX:
            yield LineBlock(rest[:LINE_BYTES_MAX], line, cut=True)
            line += 1
            rest = _after_newline(stream)
    if rest:
        yield LineBlock(rest, line)


def _after_newline(stream) -> bytes:
    """Skips the rest of a line that is too long."""
    while read := stream.read(BLOCK_BYTES):
        end = read.find(_NEWLINE)
        if end >= 0:
            return read[end + 1:]
    return b""


def line_starts(data: bytes) -> np.ndarray:
    """(L + 1,) offsets at which the L lines begin, and the end of the last one."""
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _NEWLINE[0]) + 1
    inner = ends if len(ends) and ends[-1] == len(data) else np.append(ends, len(data))
    return np.concatenate([[0], inner])


def line_text(data: bytes, starts: np.ndarray, lines: np.ndarray, limit: int) -> list[str]:
    """The text of some lines, at most ``limit`` bytes of each; bytes that are not UTF-8 are shown as ``\\xNN``."""
    return [data[starts[k]:starts[k + 1]].rstrip(b"\r\n")[:limit].decode("utf-8", "backslashreplace") for k in lines]


def split_rows(data: bytes, names: list[str], wanted: list[str]) -> Rows:
    """Splits a block of CSV lines into fields. ``names``: the file's header; ``wanted``: the columns that are kept."""
    starts = line_starts(data)
    n_lines = len(starts) - 1
    if _lone_return(data) or not _is_utf8(data) or _has_torn_quote(data, starts):
        # A bare carriage return would end a row for the parser, a quote left open would join rows, and it cannot report
        # torn rows that are not UTF-8. What is left has one row per line.
        return _split_one_by_one(data, starts, names, wanted)
    found, wrong = _parse(data, names, wanted)
    is_row = np.ones(n_lines, dtype=bool)
    is_row[wrong] = False
    blank = _blank(data, starts)
    keep = ~blank[is_row]
    if not keep.all():
        mask = pa.array(keep)
        found = {name: column.filter(mask) for name, column in found.items()}
    return Rows(found, np.flatnonzero(is_row & ~blank), np.flatnonzero(~is_row & ~blank), starts)


def _parse(data: bytes, names: list[str], wanted: list[str]) -> tuple[dict[str, pa.Array], np.ndarray]:
    wrong: list[int] = []

    def note(row: pa_csv.InvalidRow) -> str:
        wrong.append(row.number - 1)
        return "skip"

    # Field names are the positions: the header's own may repeat or be empty in columns that are not wanted.
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(column_names=[str(k) for k in range(len(names))], use_threads=False,
                                        block_size=len(data) + 1),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=note, ignore_empty_lines=False, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={str(k): pa.binary() for k in range(len(names))}, strings_can_be_null=False,
            include_columns=[str(names.index(name)) for name in wanted]),
    )
    return {name: _one_array(table.column(k)) for k, name in enumerate(wanted)}, np.array(wrong, dtype=np.int64)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.chunks or [pa.array([], column.type)]
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def _lone_return(data: bytes) -> bool:
    if _RETURN not in data:
        return False
    return data.count(_RETURN) != data.count(b"\r\n")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_torn_quote(data: bytes, starts: np.ndarray) -> bool:
    """Some line has a quote left open or text after a closed one, which the parser would take as it comes.

    Lines whose quotes stand in pairs around whole fields are sound; only others are looked at one by one.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    at = np.flatnonzero(text == _QUOTE[0])
    if not len(at):
        return False
    before_line = np.searchsorted(at, starts)
    in_line = np.diff(before_line)
    is_opening = (np.arange(len(at)) - np.repeat(before_line[:-1], in_line)) % 2 == 0
    framed = np.frombuffer(_NEWLINE + data + _NEWLINE, dtype=np.uint8)
    is_sound = np.where(is_opening, _IS_BEFORE_FIELD[framed[at]], _IS_AFTER_FIELD[framed[at + 2]])
    doubtful = np.union1d(np.flatnonzero(in_line % 2), np.repeat(np.arange(len(in_line)), in_line)[~is_sound])
    return any(split_line(data[starts[k]:starts[k + 1]].rstrip(b"\r\n").decode("utf-8")) is None for k in doubtful)


def _blank(data: bytes, starts: np.ndarray) -> np.ndarray:
    """(L,) bool: lines with nothing on them. They are no rows, good or bad."""
    short = np.flatnonzero(np.diff(starts) <= 2)
    blank = np.zeros(len(starts) - 1, dtype=bool)
    blank[[k for k in short if not data[starts[k]:starts[k + 1]].strip(b"\r\n")]] = True
    return blank


def _split_one_by_one(data: bytes, starts: np.ndarray, names: list[str], wanted: list[str]) -> Rows:
    at = [names.index(name) for name in wanted]
    cells: list[list[str]] = []
    line, torn = [], []
    for k in range(len(starts) - 1):
        # Latin-1 keeps every byte as it is; the encoding is judged later, with the other rows.
        text = data[starts[k]:starts[k + 1]].rstrip(b"\r\n").decode("latin-1")
        if not text:
            continue
        fields = split_line(text)
        if fields is None or len(fields) != len(names):
            torn.append(k)
        else:
            line.append(k)
            cells.append([fields[i] for i in at])
    columns = {name: pa.array([row[i].encode("latin-1") for row in cells], pa.binary())
               for i, name in enumerate(wanted)}
    return Rows(columns, np.array(line, dtype=np.int64), np.array(torn, dtype=np.int64), starts)


def split_line(text: str) -> list[str] | None:
    """The fields of one CSV line; None where a quote is left open, text follows a closed one, or a line breaks."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None

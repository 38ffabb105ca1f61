"""A log's cells in their own types: UTC microseconds, byte counts, ids. A cell never raises; it is marked bad."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cdn.units import MICROSECONDS_PER_SECOND

LATEST_US = int(pd.Timestamp("2100-01-01").timestamp()) * MICROSECONDS_PER_SECOND
BYTES_MAX = 10**15
EXPECTED_TIME = "a UTC time from 1970 to 2099 such as 2012-12-28T00:00:00Z"
EXPECTED_BYTES = f"an integer from 0 to {BYTES_MAX}"
EXPECTED_ID = "a non-empty text"
EXPECTED_TEXT = "UTF-8 text"

# Guards pandas' parser, which also reads words ("now"), bare years and negative ones.
_ISO_TIME = r"^\s*\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?( ?(Z|[+-]\d\d:?\d\d))?)?\s*$"
_ZONE = r"(Z|[+-]\d\d:?\d\d)$"
_INTEGER = r"^\s*[+-]?0*\d{1,18}(\.0*)?\s*$"
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def decoded(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Binary or text as checked UTF-8 text, and which cells are not UTF-8 (these become null). Other types pass."""
    if pa.types.is_dictionary(column.type):
        return _decoded_dictionary(column)
    if not (_is_text(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return column, np.zeros(len(column), dtype=bool)
    column = column.cast(pa.binary()) if column.type != pa.binary() else column
    try:
        return column.cast(pa.string()), np.zeros(len(column), dtype=bool)
    except pa.ArrowInvalid:
        cells = [_decode(cell) for cell in column.to_pylist()]
        bad = np.array([cell is None for cell in cells]) & ~nulls(column)
        return pa.array(cells, pa.string()), bad


def _decoded_dictionary(column: pa.DictionaryArray) -> tuple[pa.Array, np.ndarray]:
    values, bad_values = decoded(column.dictionary)
    codes = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
    bad = bad_values[codes] & ~nulls(column) if bad_values.any() else np.zeros(len(column), dtype=bool)
    return pa.DictionaryArray.from_arrays(column.indices, values), bad


def _decode(cell: bytes | None) -> str | None:
    try:
        return None if cell is None else cell.decode("utf-8")
    except UnicodeDecodeError:
        return None


def ids(column: pa.Array) -> tuple[pa.DictionaryArray, np.ndarray]:
    """Ids as a dictionary array of text without nulls, and which cells are empty."""
    if not pa.types.is_dictionary(column.type):
        column = (column if _is_text(column.type) else column.cast(pa.string())).dictionary_encode()
    values = column.dictionary.cast(pa.string())
    codes = column.indices.cast(pa.int64())
    if values.null_count or not len(values):
        values = pa.concat_arrays([values.fill_null(""), pa.array([""])])
    empty = nulls(codes)
    empty_values = pc.equal(values, "").to_numpy(zero_copy_only=False)
    codes = codes.fill_null(0)
    if empty_values.any():
        empty = empty | empty_values[codes.to_numpy()]
    return pa.DictionaryArray.from_arrays(codes, values), empty


def texts(column: pa.Array) -> pa.Array:
    """Any column as plain text; null stays null, and so does what is empty."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    column = column.cast(pa.string())
    return pc.if_else(pc.equal(column, ""), None, column)


def byte_counts(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int64 byte counts, 0 where bad, and which cells are no integer from 0 to ``BYTES_MAX``."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if _is_text(column.type):
        values, bad = _integers_of_text(column)
    else:
        values, bad = _integers_of_numbers(column)
    bad = bad | (values < 0) | (values > BYTES_MAX)
    return np.where(bad, 0, values), bad


def _integers_of_text(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    if not _may_be_hexadecimal(column):
        try:
            return column.cast(pa.int64()).fill_null(0).to_numpy(), nulls(column)
        except pa.ArrowInvalid:
            pass
    matched = pc.match_substring_regex(column.fill_null(""), _INTEGER)
    digits = pc.replace_substring_regex(column, r"\.0*\s*$|[\s+]", "")
    values = pc.if_else(matched, digits, "0").cast(pa.int64())
    return values.fill_null(0).to_numpy(), ~matched.to_numpy(zero_copy_only=False)


def _may_be_hexadecimal(column: pa.Array) -> bool:
    """The cast to integers would take 0x10 for 16."""
    text = column.buffers()[-1]
    return text is not None and b"x" in text.to_pybytes().lower()


def _integers_of_numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    bad = nulls(column)
    if pa.types.is_signed_integer(column.type):
        return column.fill_null(0).to_numpy().astype(np.int64), bad
    # Unsigned, decimal and floating: what is too large for int64 is bad anyway, and must not wrap around.
    numbers = column.cast(pa.float64(), safe=False).fill_null(0).to_numpy()
    with np.errstate(invalid="ignore"):
        bad = bad | ~(np.abs(numbers) <= BYTES_MAX) | (numbers != np.floor(numbers))
    return np.where(bad, 0, numbers).astype(np.int64), bad


def times_us(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int64 microseconds since 1970 UTC, 0 where bad, and which cells are bad. A time without offset is UTC."""
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    values, bad = _us_of_text(column) if _is_text(column.type) else _us_of_stamps(column)
    bad = bad | (values < 0) | (values >= LATEST_US)
    return np.where(bad, 0, values), bad


def _us_of_stamps(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    per_second = _PER_SECOND[column.type.unit]
    stamps = column.cast(pa.int64()).fill_null(0).to_numpy()
    seconds, rest = np.divmod(stamps, per_second)
    bad = nulls(column) | (seconds < 0) | (seconds >= LATEST_US // MICROSECONDS_PER_SECOND)
    us = np.where(bad, 0, seconds) * MICROSECONDS_PER_SECOND + rest * MICROSECONDS_PER_SECOND // per_second
    return us, bad


def _us_of_text(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    # A cast that fails costs forty times one that works, so only what can succeed is tried.
    has_zone = pc.match_substring_regex(column.fill_null(""), _ZONE)
    n_zoned = has_zone.true_count
    if n_zoned in (0, len(column)):
        try:
            stamps = column.cast(pa.timestamp("us", "UTC" if n_zoned else None))
            return stamps.cast(pa.int64()).fill_null(0).to_numpy(), nulls(column)
        except pa.ArrowInvalid:
            pass
    iso = pc.match_substring_regex(column.fill_null(""), _ISO_TIME)
    text = pc.if_else(iso, column, None)
    stamps = pd.to_datetime(text.to_pandas(), utc=True, errors="coerce", format="ISO8601")
    stamps = stamps.dt.tz_localize(None).to_numpy()
    bad = np.isnat(stamps)
    return np.where(bad, 0, stamps.astype("datetime64[us]").astype(np.int64)), bad


def shown(column: pa.Array) -> list[str | None]:
    """Cells as text for messages, whatever they hold: a stamp may lie outside of what Python's datetime can say."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp(column.type.unit)).cast(pa.string())
    return column.to_pylist()


def nulls(column: pa.Array) -> np.ndarray:
    """(N,) bool: the cell is null."""
    return column.is_null().to_numpy(zero_copy_only=False) if column.null_count else np.zeros(len(column), dtype=bool)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def may_be_time(kind: pa.DataType) -> bool:
    """Types whose cells ``times_us`` can read."""
    return pa.types.is_timestamp(kind) or may_be_text(kind)


def may_be_bytes(kind: pa.DataType) -> bool:
    """Types whose cells ``byte_counts`` can read."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or may_be_text(kind)


def may_be_id(kind: pa.DataType) -> bool:
    """Types whose cells ``ids`` can read."""
    return pa.types.is_integer(kind) or may_be_text(kind)


def may_be_text(kind: pa.DataType) -> bool:
    """Text, binary text and dictionaries of them."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

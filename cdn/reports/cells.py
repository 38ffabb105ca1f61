"""One cell of a report: how a value is written for people, and how an id is kept from doing harm.

Ids come from logs and catalogs that anybody may have written. ``printable`` takes the control characters out (terminal
escapes, line breaks, writing direction); each format then escapes what it treats specially.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from cdn.units import BYTES_PER_GB, format_bytes, format_rate

Cell = Any
NOTHING = "-"
SOURCES_NAMED = 3
# What spreadsheets take for a formula (OWASP, CSV injection), with the full-width forms that some of them fold.
_FORMULA = re.compile(r"^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_PLAIN = re.compile(r"^[\w.,:/()%+ -]*$", re.ASCII)


def printable(text: str) -> str:
    r"""The text with everything that is not printed written as an escape.

    >>> print(printable("a" + chr(27) + "[2J"))
    a\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def format_cell(kind: str, value: Cell) -> str:
    """A value for people. ``kind``: text, count, share, points, bytes, rate, cost, worth, moment, clock, sources."""
    return NOTHING if value is None else FORMATS[kind](value)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _moment(moment: str) -> str:
    return moment[5:16].replace("T", " ")


def _clock(moment: str) -> str:
    return moment[11:16]


def _sources(bytes_from: dict[str, float]) -> str:
    by_bytes = sorted(bytes_from.items(), key=lambda item: (-item[1], item[0]))
    words = [f"{printable(site_id)} {format_bytes(copied)}" for site_id, copied in by_bytes[:SOURCES_NAMED]]
    words += [f"{len(by_bytes) - SOURCES_NAMED} more"] if len(by_bytes) > SOURCES_NAMED else []
    return ", ".join(words) or NOTHING


FORMATS: dict[str, Callable[[Cell], str]] = {
    "text": printable,
    "count": lambda value: f"{value:,.0f}",
    "share": lambda value: f"{100 * value:.1f} %",
    "points": _points,
    "bytes": format_bytes,
    "rate": format_rate,
    "cost": lambda value: f"{value:.6g}",
    "worth": lambda per_byte: f"{per_byte * BYTES_PER_GB:.3g}",
    "moment": _moment,
    "clock": _clock,
    "sources": _sources,
}
LEFT_ALIGNED = ("text", "moment", "clock", "sources")


def spreadsheet_cell(value: Cell) -> Cell:
    """A value for a CSV that may be opened in a spreadsheet: numbers as they are, texts that would be read as a formula
    behind a ``'``, mappings as JSON."""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if not isinstance(value, str):
        return value
    text = printable(value)
    return "'" + text if _FORMULA.match(text) else text


def markdown_text(text: str) -> str:
    """Running text in GitHub Markdown: everything with a meaning as an HTML entity."""
    escaped = "".join(c if c.isalnum() or c in " .,;()%+-/'=" else f"&#{ord(c)};" for c in printable(text))
    # A colon before a space starts neither an address nor an emoji.
    return escaped.replace("&#58; ", ": ").replace("www.", "www&#46;")


def markdown_id(text: str) -> str:
    """An id in GitHub Markdown, in a table or not: a code span, in which nobody is mentioned and nothing is a link."""
    if not text:
        return ""
    return f"`{text}`" if _PLAIN.match(text) and text.strip() == text else f"<code>{markdown_text(text)}</code>"

"""Small logs as text, and the two regions and four assets that the tests know."""

import gzip
from pathlib import Path

from cdn.model.index import Index

REGIONS = Index(["us", "de"])
FORMULA, MARKUP, PATH_ID = '=HYPERLINK("http://x","y")', "<b>&amp;</b>", "../../etc/passwd"
ASSETS = Index(["a1", FORMULA, MARKUP, PATH_ID])
HEADER = "time,region_id,asset_id,bytes"
GOOD = "2012-12-26T01:00:00Z,us,a1,100"


def write_log(path: Path, *lines: str | bytes, header: str = HEADER, newline: bytes = b"\n") -> Path:
    """A log of a header and lines; ``.gz`` is packed."""
    cells = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
    data = b"".join(cell + newline for cell in cells)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path

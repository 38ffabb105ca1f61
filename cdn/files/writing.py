"""Writing so that a crash never leaves a half-written file or folder where a whole one was."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DIGEST_CHUNK_BYTES = 1 << 20


def replace_file(path: Path | str, write: Callable[[Path], Any]) -> None:
    """Calls ``write`` with a temporary path in the same folder, syncs it and moves it over ``path`` at once."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path | str, text: str) -> None:
    """Writes UTF-8 text, whole or not at all."""
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path | str, value: Any) -> None:
    """Writes JSON with sorted keys, so the same value gives the same bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


@contextmanager
def staged_folder(final: Path | str) -> Iterator[Path]:
    """A new folder beside ``final`` that takes its place when the block ends well; otherwise it is removed and
    ``final`` stays as it was. The old folder is moved aside for the instant of the exchange, and a crash in that
    instant is mended by the next call."""
    final = Path(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}.previous")
    if aside.exists():
        if final.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(final)
    stage = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}.new-"))
    stage.chmod(0o777 & ~_umask())
    try:
        yield stage
        if final.exists():
            final.rename(aside)
        stage.rename(final)
        shutil.rmtree(aside, ignore_errors=True)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def digest_of(path: Path | str) -> str:
    """SHA-256 of a file, as hex."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(DIGEST_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

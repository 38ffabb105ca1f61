"""Writing: a file or folder is there whole or as it was, whatever happens on the way."""

import hashlib
import json
import os
import stat

import pytest

from cdn.files.writing import digest_of, replace_file, staged_folder, write_json, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "t.txt"
    write_text(target, "old")

    def fail(path):
        path.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        replace_file(target, fail)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["t.txt"]


def test_an_interrupted_write_leaves_no_litter_either(tmp_path):
    def interrupt(path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "t.txt", interrupt)
    assert names(tmp_path) == []


def test_parents_are_made_and_text_is_utf8_with_plain_newlines(tmp_path):
    target = tmp_path / "a" / "b" / "t.txt"
    write_text(target, "é\n")
    assert target.read_bytes() == b"\xc3\xa9\n"


def test_files_get_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "t.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.txt").stat().st_mode) == 0o640


def test_json_has_sorted_keys_and_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None]})
    write_json(tmp_path / "b.json", {"a": [1.5, None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1.5, None], "b": 1}
    with pytest.raises(ValueError):
        write_json(tmp_path / "c.json", {"a": float("nan")})
    assert names(tmp_path) == ["a.json", "b.json"]


def test_a_staged_folder_takes_the_place_of_the_old_one(tmp_path):
    final = tmp_path / "run"
    for content in ("one", "two"):
        with staged_folder(final) as stage:
            (stage / content).write_text(content)
            assert stage.parent == tmp_path
    assert names(tmp_path) == ["run"]
    assert names(final) == ["two"]


def test_a_failed_stage_leaves_the_old_folder_as_it_was(tmp_path):
    final = tmp_path / "run"
    with staged_folder(final) as stage:
        (stage / "kept").write_text("kept")
    with pytest.raises(RuntimeError), staged_folder(final) as stage:
        (stage / "half").write_text("half")
        raise RuntimeError("power cut")
    assert names(tmp_path) == ["run"]
    assert names(final) == ["kept"]


def test_a_crash_between_the_two_renames_is_mended(tmp_path):
    """The crash left `.run.previous` (last night, whole) and no `run`: the next night starts by putting it back."""
    aside = tmp_path / ".run.previous"
    aside.mkdir()
    (aside / "last night").write_text("whole")
    with pytest.raises(RuntimeError), staged_folder(tmp_path / "run"):
        raise RuntimeError("fails again")
    assert names(tmp_path / "run") == ["last night"]


def test_a_crash_before_the_tidying_is_mended(tmp_path):
    """The crash left both the new `run` and `.run.previous`: the new one stays, the old one goes."""
    for name, content in ((".run.previous", "old"), ("run", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / content).write_text(content)
    with pytest.raises(RuntimeError), staged_folder(tmp_path / "run"):
        raise RuntimeError
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["new"]


def test_a_digest_is_the_files_sha256(tmp_path):
    content = b"x" * (2 << 20)
    (tmp_path / "f").write_bytes(content)
    assert digest_of(tmp_path / "f") == hashlib.sha256(content).hexdigest()

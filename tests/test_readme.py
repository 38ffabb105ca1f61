"""The README as printed: every `bin/cdn` line runs, the Python example is true, the links lead somewhere."""

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdn.cli import cli

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A folder with the README's inputs, to run its commands in."""
    for name in ("topologies", "demand"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words: list[str]) -> None:
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, (words, result.output)
    assert result.stdout.strip(), words


def test_every_command_and_the_python_example_work(checkout):
    text = (ROOT / "demand" / "example" / "nightly.toml").read_text(encoding="utf-8")
    for name in ("catalog.csv", "stored_now.csv", "history", "held_out"):
        text = text.replace(f'"{name}"', f'"demand/example/{name}"')
    text = text.replace("../../", "").replace('method = "lp"', 'method = "greedy"')
    (checkout / "nightly.toml").write_text(text, encoding="utf-8")
    run(["nightly", "nightly.toml"])
    commands = [shlex.split(line)[1:] for line in LINES if line.startswith("bin/cdn")]
    assert len(commands) >= 9
    for words in commands:
        run(words)
    examples = doctest.DocTestParser().get_doctest(README, {}, "README", "README.md", 0)
    assert examples.examples and doctest.DocTestRunner().run(examples).failed == 0


def test_the_two_commands_are_there():
    assert "bin/nightly" in LINES and "bin/test" in LINES
    assert all((ROOT / line).stat().st_mode & 0o111 for line in ("bin/nightly", "bin/test", "bin/cdn", ".ci/run"))


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    missing = [target for target in targets if target and not ((ROOT / page).parent / target).exists()]
    assert not missing

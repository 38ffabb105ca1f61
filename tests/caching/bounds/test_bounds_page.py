"""The page on bounds and curves: its example is true, its table names every bound."""

import doctest
import re
from pathlib import Path

from cdn.caching.bounds import BOUNDS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "bounds_and_curves.md").read_text(encoding="utf-8")


def test_the_example_is_true():
    examples = doctest.DocTestParser().get_doctest(PAGE, {}, "page", "bounds_and_curves.md", 0)
    assert examples.examples and doctest.DocTestRunner().run(examples).failed == 0


def test_the_table_names_every_bound():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(BOUNDS)

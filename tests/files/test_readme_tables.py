"""The tables of demand/README.md are the schemas', word for word, and there are no others."""

import re
import tomllib
from pathlib import Path

import pytest

from cdn.files.catalogs import CATALOG
from cdn.files.contents import PLACEMENT, ROUTING, STORED_NOW
from cdn.files.demands import DEMAND, HOURS
from cdn.files.describing import HEADER, record_table, schema_table
from cdn.files.fill_plans import FILL_PLAN
from cdn.forecasting.events import CALENDAR
from cdn.generator.parameters import EPISODE, FILM, EncodeParameters, GeneratorParameters, KindParameters
from cdn.logs.request_logs import REQUEST_LOG

ROOT = Path(__file__).parents[2]
README = (ROOT / "demand" / "README.md").read_text(encoding="utf-8")
SCHEMAS = (CATALOG, REQUEST_LOG, DEMAND, HOURS, STORED_NOW, PLACEMENT, ROUTING, FILL_PLAN, CALENDAR)
RECORDS = (GeneratorParameters, KindParameters, EncodeParameters)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_each_format_is_described_as_it_is_read(schema):
    assert schema_table(schema) + "\n" in README


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_each_parameter_is_described_as_it_is_read(record):
    assert record_table(record) + "\n" in README


def test_there_are_no_other_tables_of_columns():
    assert README.count("| " + " | ".join(HEADER) + " |\n") == len(SCHEMAS) + len(RECORDS)


def test_the_default_kinds_are_written_out():
    written = tomllib.loads(re.search(r"```toml\n(.*?)```", README, re.S).group(1))
    assert [KindParameters.model_validate(kind) for kind in written["kinds"]] == [FILM, EPISODE]


def test_every_file_is_named():
    folder = ROOT / "demand"
    paths = [*folder.glob("*"), *folder.glob("example/*")]
    there = {path.relative_to(folder).as_posix() + "/" * path.is_dir() for path in paths}
    named = set(re.findall(r"^\| `(example[^`]*)`", README, re.M))
    assert named == there - {"README.md", "example/"}

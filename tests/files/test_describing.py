"""File formats as Markdown tables."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from cdn.files.catalogs import CATALOG
from cdn.files.describing import record_table, schema_table
from cdn.files.schema import Column, TableSchema
from cdn.files.topologies import TopologyRecord


def test_a_schema_is_one_line_per_column():
    schema = TableSchema(
        "t",
        (
            Column("id", "string", "", "who | what"),
            Column("size_bytes", "integer", "bytes", "how much", above=0),
            Column("share", "number", "", "of it", 0.5, minimum=0),
            Column("tags", "list", "", "more", ()),
            Column("kind", "string", "", "which", "a", choices=("a", "b")),
        ),
    )
    assert schema_table(schema) == (
        "| column | type | unit | default | meaning |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `id` | string |  | required | who \\| what |\n"
        "| `size_bytes` | integer > 0 | bytes | required | how much |\n"
        "| `share` | number >= 0 |  | `0.5` | of it |\n"
        "| `tags` | list |  | empty | more |\n"
        "| `kind` | `a` or `b` |  | `a` | which |\n"
    )


class Inner(BaseModel):
    storage_gb: float = Field(ge=0, description="room")


class Outer(BaseModel):
    kind: Literal["x", "y"] = Field("x", description="which")
    rate_gbps: Annotated[float, Field(gt=0)] | None = Field(None, description="how fast")
    inner: list[Inner] = Field([], description="parts")
    names: list[str] | str = Field(description="names")
    on: bool = Field(True, description="switch")
    limits: dict[str, int] = Field({}, description="by name")


def test_a_record_is_one_line_per_field():
    assert record_table(Outer).splitlines()[2:] == [
        "| `kind` | `x` or `y` |  | `x` | which |",
        "| `rate_gbps` | number > 0 | Gbit/s | empty | how fast |",
        "| `inner` | list of tables |  | empty | parts |",
        "| `names` | list of strings or string |  | required | names |",
        "| `on` | true or false |  | `True` | switch |",
        "| `limits` | table of integer |  | `{}` | by name |",
    ]
    assert record_table(Inner).splitlines()[2] == "| `storage_gb` | number >= 0 | GB | required | room |"


@pytest.mark.parametrize("table", [schema_table(CATALOG), record_table(TopologyRecord)])
def test_every_line_of_a_table_has_the_same_cells(table):
    assert {line.replace("\\|", "").count("|") for line in table.splitlines()} == {6}

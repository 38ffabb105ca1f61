"""The file formats as Markdown tables, for the READMEs of ``topologies/`` and ``demand/``; tests compare them."""

import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdn.files.schema import Column, TableSchema

HEADER = ("column", "type", "unit", "default", "meaning")
_UNITS_BY_ENDING = {"cost_per_gb": "cost/GB", "_gbps": "Gbit/s", "_gb": "GB", "_ms": "ms", "latitude": "degrees",
                    "longitude": "degrees", "_bps": "bit/s", "_bytes": "bytes", "_km": "km", "_hours": "hours",
                    "_days": "days", "_s": "s"}
_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_PLURALS = ("string", "number", "integer", "table")
_TYPE_WORDS = {str: "string", float: "number", int: "integer", bool: "true or false"}


def schema_table(schema: TableSchema) -> str:
    """A table format as Markdown: one line per column, ``column | type | unit | default | meaning``."""
    lines = [(column.name, _column_type(column), column.unit, _column_default(column), column.meaning)
             for column in schema.columns]
    return _markdown(lines)


def record_table(model: type[BaseModel]) -> str:
    """A pydantic model as Markdown, one line per field; the unit is read off the field's name."""
    lines = [(name, _field_type(field), _unit_of(name), _field_default(field), field.description or "")
             for name, field in model.model_fields.items()]
    return _markdown(lines)


def _markdown(lines: Iterable[Sequence[str]]) -> str:
    rows = [HEADER, ("---",) * len(HEADER), *((f"`{line[0]}`", *line[1:]) for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def _column_type(column: Column) -> str:
    if column.choices:
        return " or ".join(f"`{choice}`" for choice in column.choices)
    return f"{column.kind} {column.bounds}".rstrip()


def _column_default(column: Column) -> str:
    return "required" if column.required else _shown(column.default)


def _field_default(field: FieldInfo) -> str:
    return "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))


def _shown(default: Any) -> str:
    if default is None or default == () or default == []:
        return "empty"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _field_type(field: FieldInfo) -> str:
    return _with_limits(_type_words(field.annotation), field.metadata)


def _with_limits(words: str, metadata: Iterable[Any]) -> str:
    found = ((name, getattr(item, name, None)) for item in metadata for name in _SIGNS)
    limits = {name: limit for name, limit in found if limit is not None}
    return " ".join([words, " and ".join(f"{_SIGNS[name]} {limit:g}" for name, limit in limits.items())]).rstrip()


def _type_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is Annotated:
        inside = [each for item in arguments[1:] for each in (item.metadata if isinstance(item, FieldInfo) else [item])]
        return _with_limits(_type_words(arguments[0]), inside)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(part) for part in arguments if part is not type(None))
    if origin in (list, tuple):
        inner = dict.fromkeys(_type_words(part) for part in arguments if part is not Ellipsis)
        return "list of " + " or ".join(f"{words}s" if words in _PLURALS else words for words in inner)
    if origin is dict:
        return f"table of {_type_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return _TYPE_WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _unit_of(name: str) -> str:
    return next((unit for ending, unit in _UNITS_BY_ENDING.items() if name.endswith(ending)), "")

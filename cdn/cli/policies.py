"""Policies and admission on the command line: ``lru,slru:n_segments=2``, and the table of what there is."""

import ast
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from cdn.caching import ADMISSIONS, POLICIES, choose_policy
from cdn.caching.parameters import WHOLE_MAX, Choice, Parameter, Startable, parameters_of
from cdn.cli.options import stdout_console
from cdn.errors import UnknownNameError

WITH_PARAMETERS = "slru:n_segments=2"


class PolicyParam(click.ParamType):
    """One policy with parameters where wanted: ``slru:n_segments=2``; said again in one way of writing.

    ``among``: the names that are allowed, all if None; ``others``: names that are allowed and no policies.
    """

    name = "policy"

    def __init__(self, choose: Callable[[str], Choice] = choose_policy, among: Iterable[str] | None = None,
                 others: Iterable[str] = ()) -> None:  # fmt: skip
        self.choose, self.among, self.others = choose, None if among is None else tuple(among), tuple(others)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.one(value)

    def one(self, text: str) -> str:
        name = text.split(":")[0].strip()
        if text.strip() in self.others:
            return text.strip()
        if self.among is not None and name not in self.among:
            raise UnknownNameError("policy", name, [*self.others, *self.among])
        return str(self.choose(text))


class PoliciesParam(PolicyParam):
    """Policies joined by commas; each counts once."""

    name = "policies"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return tuple(dict.fromkeys(self.one(text) for text in value.split(",")))


def parameters_by_policy(policies: Iterable[str]) -> dict[str, dict[str, float]]:
    """All parameters of each policy, defaults included, for JSON."""
    return {text: dict(choose_policy(text).parameters) for text in policies}


def list_policies(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Prints the tables of policies and of admission, and ends."""
    if wanted and not ctx.resilient_parsing:
        console = stdout_console()
        console.print(_table("policy", POLICIES, {name: _first_line(of.source) for name, of in POLICIES.items()}))
        console.print(_table("admission", ADMISSIONS, {name: of.rule for name, of in ADMISSIONS.items()}))
        console.print(f"With parameters: {WITH_PARAMETERS}, joined by colons.")
        ctx.exit()


def _table(kind: str, table: Mapping[str, Startable], words: Mapping[str, str]) -> Table:
    shown = Table(kind, "parameter", "default", "what it is, its range")
    for name, of in table.items():
        shown.add_row(name, "", "", words[name])
        for parameter in parameters_of(of).values():
            shown.add_row("", parameter.name, _default(parameter), f"{parameter.range.meaning}: {parameter.range}")
    return shown


def _default(parameter: Parameter) -> str:
    return "no limit" if parameter.default == WHOLE_MAX else f"{parameter.default:g}"


def _first_line(source: str) -> str:
    """Of a policy's own description."""
    return (ast.get_docstring(ast.parse(Path(source).read_text(encoding="utf-8"))) or "").split("\n\n")[0].strip()

"""Options that take numbers refuse what is in every range and is none: ``nan``, and ``inf`` where there is no end."""

import click
import pytest
from click.testing import CliRunner

from cdn.cli import cli
from cdn.cli.options import FiniteRange


def verbs(group: click.Group, way: tuple[str, ...] = ()):
    """Every verb with the way to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, (*way, name))
        else:
            yield (*way, name), command


NUMBERS = {
    (*way, option.opts[0]): option.type
    for way, command in verbs(cli)
    for option in command.params
    if isinstance(option.type, click.types.FloatParamType)
}


def test_every_number_of_every_verb_is_of_a_finite_range():
    assert len(NUMBERS) > 20
    assert {type(number) for number in NUMBERS.values()} == {FiniteRange}


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("option", NUMBERS, ids=" ".join)
def test_numbers_are_finite(option, text):
    result = CliRunner().invoke(cli, [*option, text])
    assert result.exit_code == 2
    assert option[-1] in result.output

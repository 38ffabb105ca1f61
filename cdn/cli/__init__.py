"""The command line: each verb a thin layer over one public function, loaded only when it is called."""

import importlib
import sys

import click

from cdn import __version__
from cdn.errors import CdnError

VERBS = {
    "backtest": "cdn.cli.backtest:backtest",
    "bound": "cdn.cli.bound:bound",
    "cache": "cdn.cli.cache:cache",
    "check": "cdn.cli.check:check",
    "curve": "cdn.cli.curve:curve",
    "demand": "cdn.cli.demand:demand",
    "fill": "cdn.cli.fill:fill",
    "forecast": "cdn.cli.forecast:forecast",
    "ingest": "cdn.cli.ingest:ingest",
    "nightly": "cdn.cli.nightly:nightly",
    "place": "cdn.cli.place:place",
    "report": "cdn.cli.report:report",
    "simulate": "cdn.cli.simulate:simulate",
    "topology": "cdn.cli.topology:topology",
    "verify": "cdn.cli.verify:verify",
    "whatif": "cdn.cli.whatif:whatif",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        return getattr(importlib.import_module(module), attribute)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="cdn")
def cli() -> None:
    """Predict demand, place titles on edge caches, plan the nightly fill, and replay held-out request logs.

    Exit codes: 0 done, 1 bad data, 2 usage, 3 done with a shortfall under --strict, 4 solver failed.
    """


def main() -> None:
    """Entry point: errors made on purpose are one message on stderr and an exit code, never a traceback."""
    try:
        cli(prog_name="cdn")
    except CdnError as error:
        click.echo(f"cdn: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)

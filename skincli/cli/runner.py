"""`skincli runner-setup`."""

import os
from typing import Annotated

import typer

from skincli.cli.machine import check_lines
from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session


def add_to(app: typer.Typer) -> None:
    app.command("runner-setup")(runner_setup)


def runner_setup(
    overrides: Overrides = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and print the commands, start nothing.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Start a self-hosted GitHub runner (CML) in a container, with the GPU."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.runner.set_up import set_up_runner

        result = set_up_runner(s.config, s.progress, dry_run, os.environ)
        lines = check_lines(result.checks)
        if result.started:
            lines.append(f"Started container {result.container}")
        else:
            lines += ["The commands that would start it:", *result.commands]
        s.output.result(result, lines)

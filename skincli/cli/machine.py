"""`skincli doctor` and `skincli runner-setup`."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session
from skincli.errors import GateError

if TYPE_CHECKING:
    from skincli.runner.checks import Check

_MARKS = {"ok": "✓", "warning": "!", "failure": "✗"}


def add_to(app: typer.Typer) -> None:
    app.command("runner-setup")(runner_setup)
    app.command()(doctor)


def doctor(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """What is there, what is missing, and how to mend it."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.doctor import examine

        result = examine(s.config)
        s.output.result(result, _check_lines(result.checks))
        if not result.healthy:
            raise GateError("something must be mended first", "see the lines marked ✗")


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
        lines = _check_lines(result.checks)
        if result.started:
            lines.append(f"Started container {result.container}")
        else:
            lines += ["The commands that would start it:", *result.commands]
        s.output.result(result, lines)


def _check_lines(checks: "Iterable[Check]") -> list[str]:
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.level]} {check.name}: {check.found}")
        if check.mend and check.level != "ok":
            lines.append(f"    {check.mend}")
    return lines

"""`skincli doctor`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session
from skincli.errors import GateError

if TYPE_CHECKING:
    from skincli.runner.checks import Check

_MARKS = {"ok": "✓", "warning": "!", "failure": "✗"}


def add_to(app: typer.Typer) -> None:
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
        s.output.result(result, check_lines(result.checks))
        if not result.healthy:
            raise GateError("something must be mended first", "see the lines marked ✗")


def check_lines(checks: "Iterable[Check]") -> list[str]:
    """A line for each thing that was looked at, and one on how to mend it unless it is well."""
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.level]} {check.name}: {check.found}")
        if check.mend and check.level != "ok":
            lines.append(f"    {check.mend}")
    return lines

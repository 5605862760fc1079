"""`skincli report`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from skincli.cli.figures import SYNTHETIC_NOTICE
from skincli.cli.options import ConfigFile, Debug, Json, only_word, split_words
from skincli.cli.session import session


def add_to(app: typer.Typer) -> None:
    """Add `report` to the command tree."""
    app.command()(report)


def report(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="RUN [KEY=VALUE]...", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="DIR", help="Folder of the report.  [default: reports/<run id>]"
        ),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write Markdown for a comment: gate, figures against the champion, curves."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.reporting.report import report as run

        result = run(s.config, only_word(names, "RUN"), output, s.progress)
        standing = result.standing
        lines = [f"{'✓' if c.ok else '✗'} {c.name}: {c.found}" for c in standing.verdict.checks]
        lines.append(f"The gate is {'met' if result.met else 'not met'}: {standing.follows}")
        lines.append(f"Report: {result.report}")
        if result.left_out:
            lines.append(f"Left out for want of room: {', '.join(result.left_out)}")
        if result.synthetic:
            lines.append(SYNTHETIC_NOTICE)
        s.output.result(result, lines)
        if standing.command:
            s.output.next(s.command(shlex.join(shlex.split(standing.command)[1:])))

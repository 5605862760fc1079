"""`skincli data version | push | pull | status | checkout | remote`."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.versioning.making import VersionResult


def add_to(app: typer.Typer) -> None:
    """Add the commands of data versions to `skincli data`."""
    app.command()(version)


def version(
    overrides: Overrides = None,
    message: Annotated[
        str | None, typer.Option("-m", "--message", help="Commit the pointers with this message.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a version of the raw and the packed set: DVC keeps the data, git their pointers."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.versioning.making import version as run

        result = run(s.config, message, s.progress)
        s.output.result(result, _version_lines(result))
        if result.staged and not result.commit:
            s.output.next("git commit")
        s.output.next(s.command("data push"))


def _version_lines(result: "VersionResult") -> list[str]:
    name = "+".join(part.md5 for part in result.raw)
    size = sum(part.size for part in result.raw)
    how = "Version" if result.changed else "Unchanged: version"
    lines = [f"{how} {name}: {result.n_images:,} images, {size / 1e6:,.1f} MB"]
    if result.commit:
        lines.append(f"Committed as {result.commit[:12]}")
    elif result.staged:
        lines.append(f"Staged for the next commit: {shlex.join(result.staged)}")
    return lines

"""`skincli data fetch`; `preparing` adds `prepare` and `check`, `looking` `info` and `view`."""

from typing import TYPE_CHECKING

import typer

from skincli.cli import looking, preparing, versioning
from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.data import FetchResult

app = typer.Typer(help="Fetch, prepare and look at images.", no_args_is_help=True)


@app.command()
def fetch(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Fetch images and metadata: `data=ham10000`, `isic`, `dermamnist`, `synthetic` or `folder`."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.data import fetch as run

        result = run(s.config, s.progress)
        s.output.result(result, [_fetched(each) for each in (result, *result.included)])
        s.output.next(s.command("data prepare"))


def _fetched(result: "FetchResult") -> str:
    how = "Fetched" if result.created else "Unchanged:"
    checked = "verified" if result.verified else "unverified"
    synthetic = " These are synthetic images." if result.source == "synthetic" else ""
    return (
        f"{how} {result.n_images:,} images in {result.n_files:,} files "
        f"({result.bytes / 1e6:,.1f} MB, {checked}) in {result.folder}.{synthetic}"
    )


preparing.add_to(app)
looking.add_to(app)
versioning.add_to(app)

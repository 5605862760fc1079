"""The command tree. Each command imports what it needs when it is called, not before."""

import sys
from typing import Annotated

import typer

from skincli import __version__
from skincli.cli import (
    bench,
    configs,
    data,
    deciding,
    keys,
    machine,
    modelling,
    models,
    reporting,
    runner,
    serving,
    track,
    transfer,
    tuning,
)
from skincli.cli.options import protect_words_after_dashes

app = typer.Typer(
    name="skincli",
    help="The whole life of a skin-lesion classifier. Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: Rich alone would take a third of its time
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
modelling.add_to(app)
tuning.add_to(app)
deciding.add_to(app)
reporting.add_to(app)
transfer.add_to(models.app)
app.command("export")(transfer.export_model)
app.add_typer(models.app, name="models")
serving.add_to(app)
app.add_typer(keys.app, name="keys")
app.add_typer(track.app, name="track")
app.add_typer(configs.app, name="config")
app.add_typer(bench.app, name="bench")
runner.add_to(app)
machine.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"skincli {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    sys.argv[1:] = protect_words_after_dashes(sys.argv[1:])
    app()

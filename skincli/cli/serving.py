"""`skincli serve`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session


def add_to(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    overrides: Overrides = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Default: the champion.")
    ] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="For development: restart when the code changes.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Serve the champion over HTTP. Ctrl-C finishes what is under way and stops."""
    chosen = [*(overrides or []), *([f"serve.model={model}"] if model else [])]
    with session(chosen, config, json, debug) as s:
        from skincli.serving import run

        if reload:
            os.environ.update(as_environment(chosen, config))
            run.run_reloading(s.config.serve.host, s.config.serve.port)
        else:
            run.run(s.config)


def as_environment(overrides: list[str], file: Path | None) -> dict[str, str]:
    """The variables under which a child process composes the same config."""
    pairs = (override.partition("=") for override in overrides)
    variables = {f"SKINCLI__{k.upper().replace('.', '__')}": v for k, _, v in pairs}
    return variables | ({"SKINCLI_CONFIG": str(file.absolute())} if file else {})

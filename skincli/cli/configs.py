"""`skincli config show`."""

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import session

app = typer.Typer(help="See the configuration and where it comes from.", no_args_is_help=True)


@app.command()
def show(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """The resolved configuration, and which layer set each value."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.config.load import descriptions, flatten, resolved_dict

        values = resolved_dict(s.config)
        origins = s.resolved.origins
        s.output.result({"config": values, "origins": origins})
        help_of = descriptions()
        rows = [
            [key, "" if value is None else str(value), origins.get(key, "default"), help_of[key]]
            for key, value in flatten(values)
        ]
        s.output.table(["key", "value", "set by", "what it is"], rows)

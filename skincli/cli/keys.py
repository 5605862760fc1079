"""`skincli keys create | list | revoke`."""

from pathlib import Path
from typing import Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import session

app = typer.Typer(help="Keys that clients of `skincli serve` show.", no_args_is_help=True)


@app.command()
def create(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="NAME [KEY=VALUE]...", show_default=False)
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option(
            "--per-minute",
            metavar="N",
            min=0,
            help="Images a minute; 0: any number. Default: serve.limits.per_minute.",
        ),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a key and print it, this once. A running server takes it at once."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.serving.keys.issuing import create_key

        file = Path(s.config.serve.keys.file)
        made = create_key(file, only_word(names, "NAME"), per_minute)
        s.output.result(made, [made.key])
        s.progress.note(
            f"Key {made.id} of {made.name}: keep it now, `{file}` holds only its hash. "
            "`skincli predict` reads it from SKINCLI_API_KEY"
        )


@app.command("list")
def list_all(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Names, ids, ages and limits; no key can be shown again."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.serving.keys.issuing import list_keys

        found = list_keys(Path(s.config.serve.keys.file))
        s.output.result(found, [] if found else ["There are no keys"])
        if found:
            rows = [[k.name, k.id, k.created, _limit(k.per_minute)] for k in found]
            s.output.table(["name", "id", "created", "images a minute"], rows)
        else:
            s.output.next(s.command("keys create NAME"))


@app.command()
def revoke(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="NAME|ID [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Take a key away. A running server refuses it at once."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.serving.keys.issuing import revoke_key

        gone = revoke_key(Path(s.config.serve.keys.file), only_word(names, "NAME or ID"))
        s.output.result(gone, [f"Revoked {gone.name} ({gone.id})"])


def _limit(per_minute: int | None) -> str:
    if per_minute is None:
        return "the server's"
    return str(per_minute) if per_minute else "no limit"

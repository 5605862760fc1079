"""`skincli models verify | export | import`."""

from pathlib import Path
from typing import Annotated

import typer

from skincli.cli.models import model_named
from skincli.cli.options import ConfigFile, Debug, Json, only_word, split_words
from skincli.cli.quantising import export_int8
from skincli.cli.session import session
from skincli.errors import ModelError, UsageError


def add_to(app: typer.Typer) -> None:
    app.command()(verify)
    app.command("export")(export_model)
    app.command("import")(import_model)


def verify(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[VERSION]... [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Download versions (default: all) and recompute their hashes; 2 if one was tampered with."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.verifying import verify_versions

        found = verify_versions(s.config, names, s.progress)
        s.output.result(found)
        rows = [
            [each.version, (each.digest or "")[:12], "as registered" if each.ok else each.fault]
            for each in found
        ]
        s.output.table(["version", "bundle", "files"], rows)
        faulty = [each.version for each in found if not each.ok]
        if faulty:
            raise ModelError(
                f"not what was registered: version {', '.join(faulty)}",
                "do not serve it; `skincli rollback VERSION` leaves it",
            )


def export_model(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL PATH [KEY=VALUE]...", show_default=False)
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantise it; 3 if that loses more than `int8.*` allows.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a model's bundle as a folder, or as a zip where PATH ends in .zip."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.transfer import export_model as run

        if len(names) != 2:
            raise UsageError("give a MODEL and the PATH to write", "such as `1 model.zip`")
        model, path = model_named(s, names[0]), Path(names[1])
        if int8:
            export_int8(s, model, path)
            return
        result = run(s.config, model, path)
        s.output.result(result, [f"Wrote {result.path}", f"Digest {result.digest}"])
        s.output.next(f"skincli models import {result.path} tracking.uri=STORE")


def import_model(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="PATH [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Register a bundle that another registry exported. Promotes nothing."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.transfer import import_model as run

        result = run(s.config, Path(only_word(names, "PATH")))
        lines = [
            f"{result.name} version {result.version}, digest {result.digest}",
            "Its hashes prove that it is whole, not who made it: compare the digest with what its "
            "maker tells you",
        ]
        s.output.result(result, lines)
        uri = f"models:/{result.name}/{result.version}"
        s.output.next(s.command(f"evaluate {uri}"), s.command(f"promote {uri}"))

"""`skincli models list | show | history | verify | export | import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.figures import number, short_figures
from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import Session, session
from skincli.errors import ModelError, UsageError

if TYPE_CHECKING:
    from skincli.tracking.history import Change, Entry
    from skincli.tracking.lineage import ModelLineage
    from skincli.tracking.registry import ModelVersion

# A table of versions must fit a terminal.
_SHORT = {
    "balanced_accuracy": "bal. acc.",
    "macro_auroc": "AUROC",
    "melanoma_sensitivity": "mel. sens.",
    "malignant_auroc": "mal. AUROC",
}
app = typer.Typer(help="Look at the registered versions.", no_args_is_help=True)


@app.command("list")
def list_models(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Versions, aliases and metrics."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking.registry import read_registry

        versions = read_registry(s.config).versions
        empty = f"`{s.config.registry.name}` has no versions yet"
        s.output.result(versions, [] if versions else [empty])
        if versions:
            _show_versions(s, versions)
        s.output.next(s.command("models show VERSION" if versions else "promote RUN"))


@app.command()
def show(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Where a model comes from: version, run, config, data, split, commit."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.lineage import trace

        found = trace(s.config, _model(s, only_word(names, "MODEL")))
        s.output.result(found, _lineage_lines(found))


@app.command()
def history(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Who moved which alias where, when, on what evidence."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking.registry import read_registry

        entries = read_registry(s.config).history
        s.output.result(entries, [] if entries else ["No alias was ever moved"])
        if entries:
            columns = ["when", "who", "what", "alias", "from", "to", "test split", "config", "why"]
            s.output.table(columns, [_history_cells(entry) for entry in entries])


@app.command()
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


@app.command("export")
def export_model(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL PATH [KEY=VALUE]...", show_default=False)
    ] = None,
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
        result = run(s.config, _model(s, names[0]), Path(names[1]))
        s.output.result(result, [f"Wrote {result.path}", f"Digest {result.digest}"])
        s.output.next(f"skincli models import {result.path} tracking.uri=STORE")


@app.command("import")
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


def _model(s: Session, word: str) -> str:
    """A bare number is a version of the configured model."""
    return f"models:/{s.config.registry.name}/{word}" if word.isdecimal() else word


def _show_versions(s: Session, versions: "tuple[ModelVersion, ...]") -> None:
    names = list(dict.fromkeys(name for v in versions for name in v.metrics))
    rows = [
        [
            v.version,
            ", ".join(v.aliases),
            *(number(v.metrics.get(name)) for name in names),
            v.created[:10],
            (v.run_id or "")[:8],
            (v.digest or "")[:8],
        ]
        for v in versions
    ]
    columns = ["version", "alias", *(_SHORT.get(name, name) for name in names)]
    s.output.table([*columns, "created", "run", "bundle"], rows)


def _lineage_lines(found: "ModelLineage") -> list[str]:
    spec, lineage = found.model.bundle.spec, found.model.bundle.spec.lineage
    verified = "verified" if lineage.data_verified else "unverified"
    kind = "synthetic" if lineage.synthetic else f"{verified}, licence {lineage.data_licence}"
    store = f" ({found.run.status} in the store)" if found.run else " (not in this store)"
    lines = [
        f"{found.model.name}, bundle {found.model.bundle.digest[:12]} (hashes verified)",
        f"{spec.task}, {spec.backbone} at {spec.image_size} px ({spec.crop}), "
        f"temperature {spec.temperature:.2f}, operating point {spec.operating_point:.3f}",
        f"run {lineage.run_id} ({lineage.run_name}), {lineage.created}{store}",
        f"config {found.config_sha256[:12]} (`--json` shows it)",
        f"data {lineage.data_name} ({kind}) {lineage.dataset_fingerprint[:12]}, "
        f"{lineage.split} split {lineage.split_fingerprint[:12]}",
        *(f"warning: {warning}" for warning in lineage.data_warnings),
        f"commit {lineage.git_commit}",
        "packages " + ", ".join(f"{k} {v}" for k, v in lineage.packages.items()),
    ]
    if found.registered and found.registered.metrics:
        lines.append(f"test: {short_figures(found.registered.metrics)}")
    return [*lines, *(_change_line(change) for change in found.changes)]


def _change_line(change: "Change") -> str:
    moved = f"{change.alias} from {change.before or 'nothing'} to {change.after}"
    return f"{change.when} {change.action} by {change.who}: {moved}"


def _history_cells(entry: "Entry") -> list[str]:
    change = entry.change
    why = [change.reason or "", "" if entry.done else "not finished: run it again"]
    return [
        change.when,
        change.who,
        change.action + (" (forced)" if change.forced else ""),
        change.alias,
        change.before or "",
        change.after,
        change.evidence.get("test_split", ""),
        change.config_sha256[:8],
        "; ".join(filter(None, why)),
    ]

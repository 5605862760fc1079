"""`skincli models list | show | history`."""

from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.figures import number, short_figures
from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import Session, session

if TYPE_CHECKING:
    from skincli.bundle import BundleSpec
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

        found = trace(s.config, model_named(s, only_word(names, "MODEL")))
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
            columns = [
                "when",
                "who",
                "what",
                "alias",
                "from",
                "to",
                "split",
                "gate",
                "config",
                "why",
            ]
            s.output.table(columns, [_history_cells(entry) for entry in entries])


def model_named(s: Session, word: str) -> str:
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
        f"{spec.task}, {spec.backbone} at {spec.image_size} px ({spec.crop}), {spec.precision}, "
        f"temperature {spec.temperature:.2f}, operating point {spec.operating_point:.3f}",
        f"run {lineage.run_id} ({lineage.run_name}), {lineage.created}{store}",
        *_original_lines(spec),
        f"config {found.config_sha256[:12]} (`--json` shows it)",
        f"data {lineage.data_name} ({kind}) {lineage.dataset_fingerprint[:12]}, "
        f"{lineage.split} split {lineage.split_fingerprint[:12]}",
        *_version_lines(found),
        *(f"warning: {warning}" for warning in lineage.data_warnings),
        f"commit {lineage.git_commit}",
        "packages " + ", ".join(f"{k} {v}" for k, v in lineage.packages.items()),
    ]
    if found.registered and found.registered.metrics:
        lines.append(f"test: {short_figures(found.registered.metrics)}")
    return [*lines, *(_change_line(change) for change in found.changes)]


def _original_lines(spec: "BundleSpec") -> list[str]:
    if spec.quantised_from is None:
        return []
    return [f"made of bundle {spec.quantised_from[:12]}, run {spec.lineage.parent_run_id}"]


def _version_lines(found: "ModelLineage") -> list[str]:
    version = found.run.data_version if found.run else None
    return [f"data version {version}"] if version else []


def _change_line(change: "Change") -> str:
    moved = f"{change.alias} from {change.before or 'nothing'} to {change.after}"
    return f"{change.when} {change.action} by {change.who}: {moved}"


def _history_cells(entry: "Entry") -> list[str]:
    change, checks = entry.change, entry.change.evidence.get("checks", ())
    why = [change.reason or "", "" if entry.done else "not finished: run it again"]
    return [
        change.when,
        change.who,
        change.action + (" (forced)" if change.forced else ""),
        change.alias,
        change.before or "",
        change.after,
        change.evidence.get("test_split", ""),
        f"{sum(check['ok'] for check in checks)}/{len(checks)}" if checks else "",
        change.config_sha256[:8],
        "; ".join(filter(None, why)),
    ]

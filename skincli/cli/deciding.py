"""`skincli promote | rollback` and `skincli models list | show`."""

from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.figures import number, short_figures
from skincli.cli.options import ConfigFile, Debug, Json, Overrides, only_word, split_words
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.config.schema import Config

# A table of versions must fit a terminal.
_SHORT = {
    "balanced_accuracy": "bal. acc.",
    "macro_auroc": "AUROC",
    "melanoma_sensitivity": "mel. sens.",
    "malignant_auroc": "mal. AUROC",
}
models = typer.Typer(help="Look at the registered versions.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    for command in (promote, rollback):
        app.command()(command)


def promote(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Promote although the gate is not met.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Register a model and make it the champion, if its evaluation allows."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.promotion.promote import promote as run

        result = run(s.config, only_word(names, "MODEL"), s.progress, force, reason)
        marks = [f"{'✓' if c.ok else '✗'} {c.name}: {c.found}" for c in result.checks]
        before = f", before: version {result.before}" if result.before else ""
        forced = " (forced)" if result.forced else ""
        moved = f"{result.name} version {result.version} is now {result.alias}{forced}{before}"
        s.output.result(result, [*marks, moved])
        s.output.next(s.command("serve"), s.command("predict IMAGE"))


def rollback(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[VERSION] [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Move the champion alias back to the version before, or to VERSION."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.promotion.promote import rollback as run

        version = only_word(names, "VERSION") if names else None
        result = run(s.config, version)
        s.output.result(
            result,
            [
                f"{result.name} version {result.version} is {result.alias} again, "
                f"before: version {result.before}"
            ],
        )
        s.output.next(s.command("models list"))


@models.command("list")
def list_models(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Versions, aliases and metrics."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.tracking.registry import list_versions

        versions = list_versions(s.config)
        empty = f"`{s.config.registry.name}` has no versions yet"
        s.output.result(versions, [] if versions else [empty])
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
        if rows:
            s.output.table([*columns, "created", "run", "bundle"], rows)
        s.output.next(s.command("models show VERSION" if versions else "promote RUN"))


@models.command()
def show(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL [KEY=VALUE]...", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Where a model comes from: version, run, data, split, commit, config."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.tracking.resolve import resolve

        word = only_word(names, "MODEL")
        model = f"models:/{s.config.registry.name}/{word}" if word.isdecimal() else word
        found = resolve(s.config, model)
        spec, lineage = found.bundle.spec, found.bundle.spec.lineage
        verified = "verified" if lineage.data_verified else "unverified"
        kind = "synthetic" if lineage.synthetic else f"{verified}, licence {lineage.data_licence}"
        lines = [
            f"{found.name}, bundle {found.bundle.digest[:12]} (hashes verified)",
            f"{spec.task}, {spec.backbone} at {spec.image_size} px ({spec.crop}), "
            f"temperature {spec.temperature:.2f}, operating point {spec.operating_point:.3f}",
            f"run {lineage.run_id} ({lineage.run_name}), {lineage.created}",
            f"data {lineage.data_name} ({kind}) {lineage.dataset_fingerprint[:12]}, "
            f"{lineage.split} split {lineage.split_fingerprint[:12]}",
            *(f"warning: {warning}" for warning in lineage.data_warnings),
            f"commit {lineage.git_commit}",
            "packages " + ", ".join(f"{k} {v}" for k, v in lineage.packages.items()),
        ]
        metrics = _registered_metrics(s.config, found.name)
        if metrics:
            lines.append(f"test: {short_figures(metrics)}")
        s.output.result(found, lines)


def _registered_metrics(config: "Config", model: str) -> dict[str, float]:
    from skincli.tracking.registry import list_versions

    name = config.registry.name
    found = [v.metrics for v in list_versions(config) if model == f"models:/{name}/{v.version}"]
    return found[0] if found else {}

"""`skincli data prepare | check`."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.session import Session, session

if TYPE_CHECKING:
    from skincli.data import CheckResult, PrepareResult

_SHOWN: Final = 20

Strict = Annotated[
    bool, typer.Option("--strict", help="Fail if a row or image has to be left out.")
]


def add_to(app: typer.Typer) -> None:
    app.command()(prepare)
    app.command()(check)


def prepare(
    overrides: Overrides = None,
    strict: Strict = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check rows and images, split by lesion, and pack the decoded images once."""
    wanted = [*(overrides or []), *(["data.strict=true"] if strict else [])]
    with session(wanted, config, json, debug) as s:
        from skincli.data import prepare as run

        _show_prepared(s, run(s.config, s.progress))
        s.output.next(s.command("train"))


def check(
    overrides: Overrides = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also verify every packed chunk and raw file.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Prove that no lesion, group, file or duplicate lies in two parts; exits 3 if one does."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.data import check as run
        from skincli.errors import GateError

        result = run(s.config, s.progress, full=full)
        for warning in result.warnings[:_SHOWN]:
            s.progress.warn(warning)
        if not result.leaks:
            s.output.result(result, _sound(result))
            return
        s.output.result(result, result.leaks[:_SHOWN])
        raise GateError(
            f"the split in `{result.folder}` leaks: {len(result.leaks):,} found",
            "restore the folder from a copy",
        )


def _show_prepared(s: Session, result: "PrepareResult") -> None:
    from skincli.data import PARTS

    manifest = result.prepared.manifest
    folder = result.prepared.folder
    data = {"folder": folder, "split": result.split, "created": result.created}
    how = "Prepared" if result.created else "Unchanged:"
    left_out = [f"{manifest.n_rejected:,} rejected"] if manifest.n_rejected else []
    left_out += [f"{manifest.n_quarantined:,} quarantined"] if manifest.n_quarantined else []
    lines = [
        f"{how} {manifest.n_images:,} images of {manifest.n_lesions:,} lesions at "
        f"{manifest.image_size} px in {folder}",
        f"{manifest.split} split version {manifest.split_version} "
        f"{manifest.split_fingerprint[:12]}, test {manifest.test_fingerprint[:12]}",
        *([f"left out: {', '.join(left_out)}"] if left_out else []),
    ]
    s.output.result({**data, "manifest": manifest}, lines)
    codes = list(dict.fromkeys(dx for part in PARTS for dx in manifest.counts[part]))
    rows = [[part, *(f"{manifest.counts[part].get(dx, 0):,}" for dx in codes)] for part in PARTS]
    s.output.table(["images", *codes], rows)


def _sound(result: "CheckResult") -> list[str]:
    lines = [
        f"Sound: split version {result.version} in {result.folder}",
        f"{result.n_images:,} images of {result.n_lesions:,} lesions in {result.n_groups:,} groups",
        f"duplicates: {result.n_duplicates:,} pairs, {result.n_duplicates_across:,} of them across "
        f"lesions; quarantined: {result.n_quarantined:,} images",
        "no lesion, group, file or duplicate lies in two parts",
    ]
    if result.warnings:
        lines[0] = f"As published: split version {result.version} in {result.folder}"
        lines[3] = f"{len(result.warnings):,} pictures lie in two parts: not for promotion"
    if result.packs or result.files:
        lines.append(f"verified {result.packs} packs and {result.files} raw files")
    return lines

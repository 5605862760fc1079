"""`skincli data fetch | prepare | info`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from skincli.cli.options import ConfigFile, Debug, Json, Overrides
from skincli.cli.output import Output
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.data import DataInfo

app = typer.Typer(help="Fetch, prepare and look at images.", no_args_is_help=True)


@app.command()
def fetch(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Fetch images and metadata: `data=ham10000`, `data=synthetic` or `data=folder`."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.data import fetch as run

        result = run(s.config, s.progress)
        how = "Fetched" if result.created else "Unchanged:"
        checked = "verified" if result.verified else "unverified mirror"
        synthetic = " These are synthetic images." if result.source == "synthetic" else ""
        s.output.result(
            result,
            [
                f"{how} {result.n_images:,} images in {result.n_files} files "
                f"({result.bytes / 1e6:,.1f} MB, {checked}) in {result.folder}.{synthetic}"
            ],
        )
        s.output.next(s.command("data prepare"))


@app.command()
def prepare(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check the metadata, split by lesion, and pack the decoded images once."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.data import PARTS
        from skincli.data import prepare as run

        result = run(s.config, s.progress)
        manifest = result.prepared.manifest
        data = {"folder": result.prepared.folder, "created": result.created, "manifest": manifest}
        how = "Prepared" if result.created else "Unchanged:"
        s.output.result(
            data,
            [
                f"{how} {manifest.n_images:,} images of {manifest.n_lesions:,} lesions at "
                f"{manifest.image_size} px in {result.prepared.folder}",
                f"split {manifest.split_fingerprint[:12]}, test {manifest.test_fingerprint[:12]}",
            ],
        )
        codes = list(dict.fromkeys(dx for part in PARTS for dx in manifest.counts[part]))
        rows = [
            [part, *(f"{manifest.counts[part].get(dx, 0):,}" for dx in codes)] for part in PARTS
        ]
        s.output.table(["images", *codes], rows)
        s.output.next(s.command("train"))


@app.command()
def info(
    overrides: Overrides = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what a data set holds."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.data import describe

        result = describe(s.config)
        kind = "synthetic" if result.synthetic else f"licence {result.licence}"
        s.output.result(
            result,
            [
                f"{result.name} ({kind}): {result.n_images:,} images of "
                f"{result.n_lesions:,} lesions",
                f"from {result.origin} ({'verified' if result.verified else 'unverified'}), "
                f"in {result.raw_folder}",
                f"prepared in {result.prepared_folder}" if result.prepared else "not prepared yet",
            ],
        )
        _show_counts(s.output, result)
        s.output.next(s.command("train" if result.prepared else "data prepare"))


def _show_counts(output: Output, info: "DataInfo") -> None:
    parts = list(info.parts)
    rows = [
        [
            dx,
            f"{images:,}",
            f"{info.lesions_by_dx[dx]:,}",
            *(f"{info.parts[part].get(dx, 0):,}" for part in parts),
        ]
        for dx, images in info.images_by_dx.items()
    ]
    output.table(["diagnosis", "images", "lesions", *parts], rows)
    _show_column(output, "sex", info.by_sex)
    _show_column(output, "age", info.by_age)
    _show_column(output, "site", info.by_localization)
    _show_column(output, "confirmed by", info.by_dx_type)
    _show_column(output, "source", info.by_dataset)
    _show_column(output, "missing values", info.missing)


def _show_column(output: Output, title: str, counts: Mapping[str, int]) -> None:
    text = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in counts.items())
    if not output.as_json:
        output.result(None, [f"{title}: {text or 'none'}"])

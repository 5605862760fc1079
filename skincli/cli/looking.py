"""`skincli data info | view`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skincli.cli.options import ConfigFile, Debug, Json, only_word, split_words
from skincli.cli.output import Output, to_data
from skincli.cli.session import Session, session
from skincli.errors import UsageError

if TYPE_CHECKING:
    from skincli.data import DataInfo

_BAR: Final = 24


def add_to(app: typer.Typer) -> None:
    for command in (info, view):
        app.command()(command)


def info(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE] [KEY=VALUE]...", show_default=False)
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Write one HTML page with plots and images: to FILE, or into the set's folder.",
        ),
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what a data set holds."""
    names, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        target = _report_file(names, report)
        found, page = _look(s, target, report)
        s.output.result({**to_data(found), "report": page}, _headline(found))
        if not json:
            _show(s.output, found)
            s.output.result(None, [f"Report in {page}"] if page else [])
        s.output.next(s.command("train" if found.prepared else "data prepare"))


def view(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="ID... [KEY=VALUE]...", show_default=False)
    ] = None,
    random: Annotated[
        int, typer.Option("--random", metavar="N", min=0, help="Show N by lot (setting `seed`).")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write a PNG contact sheet there; default, where nothing can be drawn: view.png",
        ),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw images in the terminal, or into a PNG."""
    ids, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.cli.drawing import can_draw, drawn
        from skincli.data.seeing.sheet import write_sheet
        from skincli.data.seeing.view import view as run

        images = run(s.config, ids, random)
        if output is None and not json and can_draw():
            s.output.drawing(drawn(images))
            return
        sheet = output or Path("view.png")
        write_sheet(images, sheet)
        facts = [image.facts for image in images]
        s.output.result({"images": facts, "sheet": sheet}, [str(sheet)])


def _report_file(names: list[str], report: bool) -> Path | None:
    """The file that the words name, None without one."""
    if not names:
        return None
    path = Path(only_word(names, "FILE"))
    if not report:
        raise UsageError(f"`{path}` is no setting", f"for a page: `--report {path}`")
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"a report is an HTML page, not `{path}`", "end its name in .html")
    return path


def _look(s: Session, target: Path | None, report: bool) -> "tuple[DataInfo, Path | None]":
    if not report:
        from skincli.data import describe

        return describe(s.config), None
    from skincli.data.seeing.report import write_report

    written = write_report(s.config, target, s.progress)
    return written.info, written.path


def _headline(info: "DataInfo") -> list[str]:
    kind = "synthetic" if info.synthetic else f"licence {info.licence}"
    views = ", ".join(f"{count:,} with {n}" for n, count in info.images_per_lesion.items())
    return [
        f"{info.name} ({kind}): {info.n_images:,} images of {info.n_lesions:,} lesions",
        f"from {info.origin} ({'verified' if info.verified else 'unverified'}), "
        f"in {info.raw_folder}",
        f"prepared in {info.prepared_folder}" if info.prepared else "not prepared yet",
        f"lesions by their number of images: {views}",
        f"pairs of duplicates: {_duplicates(info)}",
        "",
    ]


def _duplicates(info: "DataInfo") -> str:
    if info.duplicates is None:
        return "not looked for yet"
    return ", ".join(f"{count:,} {where}" for where, count in info.duplicates.items())


def _show(output: Output, info: "DataInfo") -> None:
    _show_diagnoses(output, info)
    output.result(None, [""])
    output.table(["", "", "images", "%", ""], list(_shares(info)))
    output.result(None, [""])
    _show_sources(output, info)
    output.result(None, ["", "Careful:", *(f"  {line}" for line in info.cautions)])


def _show_diagnoses(output: Output, info: "DataInfo") -> None:
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


def _shares(info: "DataInfo") -> Iterator[list[str]]:
    """The counts by each column, with their share of all images as a number and a bar."""
    columns: dict[str, Mapping[str, int]] = {
        "sex": info.by_sex,
        "age": info.by_age,
        "site": info.by_localization,
        "confirmed by": info.by_dx_type,
        "source": info.by_dataset,
        "missing": {name: count for name, count in info.missing.items() if count},
    }
    for column, counts in columns.items():
        for place, (name, count) in enumerate(counts.items()):
            share = count / info.n_images
            yield [
                column if place == 0 else "",
                name,
                f"{count:,}",
                f"{100 * share:.1f}",
                _bar(share),
            ]


def _bar(share: float) -> str:
    """A bar in steps of an eighth of a character."""
    full, eighths = divmod(round(8 * _BAR * share), 8)
    return "█" * full + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")


def _show_sources(output: Output, info: "DataInfo") -> None:
    if info.confounding is None:
        return
    codes = list(info.images_by_dx)
    rows = [
        [source, *(f"{counts.get(dx, 0):,}" for dx in codes)]
        for source, counts in info.dx_by_dataset.items()
    ]
    output.table([f"source (Cramér's V {info.confounding.cramers_v:.2f})", *codes], rows)

"""`skincli bench train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.options import ConfigFile, Debug, Json, split_words
from skincli.cli.output import Output
from skincli.cli.session import session
from skincli.errors import UsageError

if TYPE_CHECKING:
    from skincli.bench.records import TrainBench, WaySpeed


def train(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGES]... [KEY=VALUE]...", show_default=False)
    ] = None,
    backbones: Annotated[
        str | None,
        typer.Option(
            "--backbones", metavar="A,B,...", help="Backbones; model.backbone if not given."
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option("--steps", metavar="N", min=1, help="Steps of a round, which is an epoch."),
    ] = 100,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="Rounds, the best counts.")
    ] = 5,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Images that are taken at the most.")
    ] = 512,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Draw the result into a PNG.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Train beside the compute limit and beside a DataLoader. Without IMAGES, on drawn ones.

    What is trained, and with which augmentation, is set as for `skincli train`. What is off there
    is switched on by `augment.erasing=0.25 augment.mixup=0.5 augment.cutmix=0.5`.
    """
    images, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        _require_folder(chart)
        from skincli.bench.training.measuring import bench_train

        names = _split(backbones) or [s.config.model.backbone]
        paths = [Path(image) for image in images]
        result = bench_train(s.config, paths, names, most, rounds, steps, s.progress)
        s.output.result(result, _lines(result))
        _show_tables(s.output, result)
        if chart is not None:
            from skincli.bench.train_chart import train_chart

            train_chart(result, chart)


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _require_folder(chart: Path | None) -> None:
    """Minutes of measuring are not to end in a chart that cannot be written."""
    if chart is not None and not chart.absolute().parent.is_dir():
        raise UsageError(f"`{chart.parent}` is no folder", "name a file in one that exists")


def _lines(result: "TrainBench") -> list[str]:
    kind = "drawn (synthetic)" if result.synthetic else "given"
    off = [name for name, value in result.augment.items() if not value]
    without = f"all but {', '.join(off)} (`augment.{off[0]}=0.2` adds one)" if off else "all of it"
    return [
        f"Training on {result.device} in {result.precision}, {_layout(result.channels_last)}"
        f"{', compiled' if result.compile else ''}: batches of {result.batch_size} images of "
        f"{result.image_size} px, best of {result.rounds} rounds of {result.steps} steps",
        f"{result.n_images:,} {kind} JPEGs of {result.mean_kilobytes:,.0f} kB on average; "
        f"augmentation: {without}",
    ]


def _show_tables(output: Output, result: "TrainBench") -> None:
    other = f"limit, {_layout(not result.channels_last)}"
    columns = ["backbone", "limit", "skincli", "ratio", "DataLoader", "ratio", other, "ratio"]
    rows = [
        [
            b.backbone,
            f"{b.limit.images_per_second:,.0f}",
            *_cells(b.pipeline),
            *_cells(b.conventional),
            *_cells(b.other_layout),
        ]
        for b in result.backbones
    ]
    output.table(columns, rows, "Images per second, and their ratio to the compute limit")
    columns = ["images", "seconds", "images/s", "peak anonymous MB", "peak GPU MB"]
    growth = [
        [
            f"{g.n_images:,}",
            f"{g.seconds:.2f}",
            f"{g.images_per_second:,.0f}",
            f"{g.peak_megabytes:,.0f}",
            "–" if g.device_megabytes is None else f"{g.device_megabytes:,.0f}",
        ]
        for g in result.growth
    ]
    first = result.backbones[0].backbone
    output.table(columns, growth, f"More images, none kept on the device ({first})")


def _layout(channels_last: bool) -> str:
    return "channels last" if channels_last else "channels first"


def _cells(way: "WaySpeed") -> list[str]:
    return [f"{way.images_per_second:,.0f}", f"{way.ratio:.3f}"]

"""`skincli bench fetch | prepare | train | serve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skincli.cli.bench_serve import serve
from skincli.cli.bench_train import train
from skincli.cli.options import ConfigFile, Debug, Json, Overrides, split_words
from skincli.cli.output import Output
from skincli.cli.session import session

if TYPE_CHECKING:
    from skincli.bench.records import PrepareBench

app = typer.Typer(help="Measure what a step costs on this machine.", no_args_is_help=True)


Rounds = Annotated[
    int, typer.Option("--rounds", metavar="N", min=1, help="Measurements, the best counts.")
]


@app.command()
def fetch(
    overrides: Overrides = None,
    megabytes: Annotated[
        int, typer.Option("--megabytes", metavar="N", min=1, help="Size of the file.")
    ] = 400,
    rounds: Rounds = 5,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Download from this machine as `data fetch` does, beside what loopback can carry."""
    with session(overrides or [], config, json, debug) as s:
        from skincli.bench.fetching import bench_fetch

        result = bench_fetch(s.config, megabytes, rounds, s.progress)
        s.output.result(result, [f"{megabytes:,} MB, best of {rounds} rounds"])
        rows = [[w.way, f"{w.megabytes_per_second:,.0f}", f"{w.ratio:.2f}"] for w in result.speeds]
        s.output.table(["way", "MB/s", "ratio"], rows)


@app.command()
def prepare(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGES]... [KEY=VALUE]...", show_default=False)
    ] = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Images that are taken at the most.")
    ] = 128,
    rounds: Rounds = 5,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Draw the result into a PNG.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pack images as `data prepare` does, beside a bare decode loop. Without IMAGES, drawn ones."""
    images, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        from skincli.bench.preparing import bench_prepare

        result = bench_prepare(s.config, [Path(i) for i in images], most, rounds, s.progress)
        s.output.result(result, _lines(result))
        _show_tables(s.output, result)
        if chart is not None:
            from skincli.bench.chart import prepare_chart

            prepare_chart(result, chart)


app.command()(train)
app.command()(serve)


def _lines(result: "PrepareBench") -> list[str]:
    kind = "drawn (synthetic)" if result.synthetic else "given"
    return [
        f"{result.n_images:,} {kind} JPEGs of {result.mean_kilobytes:,.0f} kB on average to "
        f"{result.image_size} px ({result.crop}), best of {result.rounds} rounds",
        f"one thread decodes {result.decoding:,.0f} images/s when it does not resize",
        f"a random batch of {result.reading.batch} ({result.reading.megabytes:,.1f} MB) takes "
        f"{result.reading.pack_ms:.1f} ms from the pack, {result.reading.copy_ms:.1f} ms as a "
        f"memory copy (ratio {result.reading.ratio:.2f})",
    ]


def _show_tables(output: Output, result: "PrepareBench") -> None:
    speeds = [
        [str(s.cores), f"{s.bare:,.0f}", f"{s.packing:,.0f}", f"{s.ratio:.2f}"]
        for s in result.speeds
    ]
    output.table(["cores", "bare loop images/s", "packing images/s", "ratio"], speeds)
    growth = [
        [
            f"{g.n_images:,}",
            f"{g.seconds:.2f}",
            f"{g.images_per_second:,.0f}",
            f"{g.peak_megabytes:,.0f}",
        ]
        for g in result.growth
    ]
    output.table(["images", "seconds", "images/s", "peak anonymous MB"], growth)

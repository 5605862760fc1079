"""`skincli bench serve`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skincli.cli.options import ConfigFile, Debug, Json, split_words
from skincli.cli.output import Output
from skincli.cli.session import Session, session
from skincli.errors import UsageError

if TYPE_CHECKING:
    from skincli.bench.serving.records import Check, Load, ServeBench
    from skincli.bundle import Bundle

# Settings of the service that are the benchmark's own to choose.
_CHOSEN: Final = ("serve.host=", "serve.model=", "serve.port=")


def serve(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGES]... [KEY=VALUE]...", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="Default: model.backbone, random weights."),
    ] = None,
    peers: Annotated[
        Path | None,
        typer.Option("--peers", metavar="DIR", help="Environments of other servers, if any."),
    ] = None,
    install_peers: Annotated[
        Path | None,
        typer.Option("--install-peers", metavar="DIR", help="Make those environments, and end."),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="Rounds; medians count.")
    ] = 3,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=0.1, help="Length of each load.")
    ] = 8.0,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Images that are taken at the most.")
    ] = 128,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Draw the result into a PNG.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Put `skincli serve` under load, beside other servers and a bare loop of the same model.

    Without IMAGES, on drawn ones. The service gets the settings `serve.KEY=VALUE`.
    """
    images, overrides = split_words(words)
    with session(overrides, config, json, debug) as s:
        if install_peers is not None:
            _install(s, install_peers)
            return
        _require_folders(chart, peers)
        from skincli.bench.serving.measuring import bench_serve

        ours = [w for w in overrides if w.startswith("serve.") and not w.startswith(_CHOSEN)]
        with _model(s, model or s.config.serve.model) as bundle:
            result = bench_serve(
                s.config, bundle, [Path(i) for i in images], ours, peers, most, rounds, seconds,
                s.progress,
            )  # fmt: skip
        s.output.result(result, _lines(result))
        _show_tables(s.output, result)
        if chart is not None:
            from skincli.bench.serving.chart import serve_chart

            serve_chart(result, chart)


def _install(s: Session, folder: Path) -> None:
    from skincli.bench.serving.installing import install_peers

    install_peers(folder, s.progress)
    s.output.result({"peers": folder}, [f"Environments of other servers in {folder}"])
    s.output.next(s.command(f"bench serve --peers {folder}"))


@contextmanager
def _model(s: Session, name: str | None) -> "Iterator[Bundle]":
    """The model that is named, or random weights for as long as the body runs."""
    if name is not None:
        from skincli.tracking.resolve import resolve

        yield resolve(s.config, name).bundle
        return
    from skincli.bench.training.untrained import untrained_bundle

    with TemporaryDirectory(prefix="skincli-bench-") as folder:
        s.config.model.pretrained = False
        yield untrained_bundle(s.config, Path(folder) / "bundle")


def _require_folders(chart: Path | None, peers: Path | None) -> None:
    """Minutes of measuring are not to end in a chart that cannot be written."""
    if chart is not None and not chart.absolute().parent.is_dir():
        raise UsageError(f"`{chart.parent}` is no folder", "name a file in one that exists")
    if peers is not None and not peers.is_dir():
        raise UsageError(
            f"`{peers}` is no folder", f"`skincli bench serve --install-peers {peers}` makes it"
        )


def _lines(result: "ServeBench") -> list[str]:
    kind = "drawn (synthetic)" if result.synthetic else "given"
    weights = "random weights" if result.untrained else f"bundle {result.digest[:12]}"
    full = [limit for limit in result.limits if limit.processes == result.cores]
    why = "left out, for want of an environment or of the network in torchvision"
    left_out = [f"{why}: {', '.join(result.left_out)}"] if result.left_out else []
    return [
        f"{result.backbone} at {result.image_size} px ({weights}) on {result.cores} cores; "
        f"{result.n_images} {kind} JPEGs of {result.mean_kilobytes:,.0f} kB on average; medians of "
        f"{result.rounds} rounds of {result.seconds:g} s a load",
        f"limit: {median(x.images_per_second for x in full):,.1f} images/s in as many processes, "
        f"{median(x.cpu_ms for x in full):.1f} ms of CPU each",
        *left_out,
    ]


def _show_tables(output: Output, result: "ServeBench") -> None:
    loads: list[list[str]] = []
    starts: list[list[str]] = []
    for server in result.servers:
        visits = [visit for visit in result.visits if visit.server == server.name]
        by_load = zip(*(visit.loads for visit in visits), strict=True)
        loads.extend([server.name, *_load_cells(rounds)] for rounds in by_load)
        starts.append(
            [
                server.name,
                server.version,
                server.sent_as,
                f"{median(v.ready_seconds for v in visits):.2f}",
                f"{median(len(v.process_megabytes) for v in visits):.0f}",
                f"{median(v.resident_megabytes for v in visits):,.0f}",
                f"{median(v.process_megabytes[0] for v in visits):,.0f}",
                "yes" if any(v.torch_loaded for v in visits) else "no",
            ]
        )
    columns = ["server", "load", "requests/s", "p50 ms", "p99 ms", "errors", "server CPU ms"]
    output.table([*columns, "client CPU ms"], loads, "Under load; CPU per answered request")
    columns = ["server", "version", "image sent as", "ready s", "processes", "MB", "largest MB"]
    output.table([*columns, "torch"], starts, "Start to first answer, and memory after the loads")
    checks = [_check_cells(check) for check in result.checks]
    output.table(["check", "measured", "target", "met"], checks, "What the service has to reach")


def _load_cells(rounds: "Sequence[Load]") -> list[str]:
    first = rounds[0]
    many = "s" if first.concurrency > 1 else ""
    load = f"{first.concurrency} client{many}"
    if first.arrivals == "open":
        offered = median(load.offered_per_second or 0 for load in rounds)
        load = f"open, {offered:.1f}/s"
    return [
        load,
        f"{median(load.requests_per_second for load in rounds):,.1f}",
        *(_median_of(rounds, name) for name in ("p50_ms", "p99_ms")),
        str(sum(load.errors for load in rounds)),
        *(_median_of(rounds, name) for name in ("server_cpu_ms", "client_cpu_ms")),
    ]


def _median_of(rounds: "Sequence[Load]", field: str) -> str:
    known = [value for load in rounds if (value := getattr(load, field)) is not None]
    return f"{median(known):,.2f}" if known else "–"


def _check_cells(check: "Check") -> list[str]:
    value = "–" if check.value is None else f"{check.value:,.2f}"
    met = {True: "yes", False: "no", None: "not known"}[check.met]
    return [check.name, value, f"{check.relation} {check.target:g}", met]

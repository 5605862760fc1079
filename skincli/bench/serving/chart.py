"""The service and its peers as bars: throughput and latency by load, and the cost of a request."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skincli.bench.chart import BLUE, DPI, GREY, ORANGE, VERMILION
from skincli.bench.serving.contenders import OURS
from skincli.bench.serving.judging import closed
from skincli.bench.serving.records import Engine, ServeBench, Visit

_COLOURS: Final[dict[Engine, str]] = {"onnx": ORANGE, "torch": VERMILION}
_CLIENTS: Final = 8
_ROW: Final = 0.42  # inches


def serve_chart(result: ServeBench, target: Path) -> None:
    """Write a PNG with a row for each server, and the limit on top. Raises OSError."""
    names = ["bare loop", *(server.name for server in result.servers)]
    colours = [GREY, *(_COLOURS[s.engine] if s.name != OURS else BLUE for s in result.servers)]
    visits = [[v for v in result.visits if v.server == s.name] for s in result.servers]
    figure = Figure(figsize=(12.5, 1.9 + _ROW * len(names)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    kind = "drawn" if result.synthetic else "given"
    figure.suptitle(
        f"{result.backbone} at {result.image_size} px on {result.cores} cores, {kind} JPEGs of "
        f"{result.mean_kilobytes:,.0f} kB, medians of {result.rounds} rounds"
    )
    full = [limit for limit in result.limits if limit.processes == result.cores]
    alone = [limit for limit in result.limits if limit.processes == 1]
    speeds = [median(x.images_per_second for x in full), *map(_throughput, visits)]
    _draw(panels[0], f"requests/s with {_CLIENTS} clients", colours, speeds)
    waits = [median(x.p50_ms for x in alone), *(_figure(v, 1, "p50_ms") for v in visits)]
    _draw(panels[1], "ms at the median with 1 client", colours, waits)
    costs = [_figure(v, _CLIENTS, "server_cpu_ms") for v in visits]
    costs.insert(0, median(x.cpu_ms for x in full))
    _draw(panels[2], f"ms of CPU per request with {_CLIENTS} clients", colours, costs)
    panels[0].set_yticks(np.arange(len(names)), names)
    panels[0].invert_yaxis()
    figure.savefig(target, format="png", dpi=DPI)


def _draw(axes: Axes, title: str, colours: Sequence[str], values: Sequence[float]) -> None:
    bars = axes.barh(np.arange(len(values)), values, 0.7, color=list(colours))
    axes.bar_label(bars, [f"{value:,.1f}" for value in values], padding=3)
    axes.set_title(title, loc="left", fontsize=10)
    axes.margins(x=0.2)


def _throughput(visits: Sequence[Visit]) -> float:
    return median(closed(visit, _CLIENTS).requests_per_second for visit in visits)


def _figure(visits: Sequence[Visit], clients: int, field: str) -> float:
    """The median over the rounds in which something was answered; 0 where nothing was."""
    found: list[float | None] = [getattr(closed(visit, clients), field) for visit in visits]
    return median([value for value in found if value is not None] or [0.0])

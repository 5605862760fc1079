"""The verb `bench serve`: the service, its peers and the limit in turns, on one machine."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from skincli.bench.images import drawn_jpegs, given_jpegs
from skincli.bench.serving.contenders import Contender, Setting
from skincli.bench.serving.judging import judge
from skincli.bench.serving.limit import Work, bare_pace
from skincli.bench.serving.line_up import line_up
from skincli.bench.serving.load import ignore_interrupt, run_load
from skincli.bench.serving.records import UNTRAINED, Limit, ServeBench, Visit
from skincli.bench.serving.visiting import RunLoad, visit
from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.imaging import Limits
from skincli.progress import Progress, Step


def bench_serve(
    config: Config,
    bundle: Bundle,
    images: Sequence[Path],
    overrides: Sequence[str],
    peers: Path | None,
    most: int,
    rounds: int,
    seconds: float,
    progress: Progress,
) -> ServeBench:
    """Measure `skincli serve` with the settings `overrides`, and those peers that are in `peers`.

    `images` are folders, zip archives and JPEG files, of which `most` images are taken; without
    any, images are drawn. Each load lasts `seconds`. Raises DataError for images that cannot be
    used, SkincliError for a server that does not start.
    """
    files = given_jpegs(images, Limits.of(config.image), most) if images else drawn_jpegs(most)
    cores = len(os.sched_getaffinity(0))
    with TemporaryDirectory(prefix="skincli-bench-") as name:
        setting = Setting(bundle, cores, Path(name), overrides)
        contenders, left_out = line_up(setting, peers)
        with progress.step("Measuring", rounds * (len(contenders) + 1)) as step, _loader() as run:
            limits, visits = _rounds(contenders, setting, files, rounds, seconds, run, step)
    return ServeBench(
        cores=cores,
        backbone=bundle.spec.backbone,
        image_size=bundle.spec.image_size,
        crop=bundle.spec.crop,
        digest=bundle.digest,
        untrained=bundle.spec.lineage.run_name == UNTRAINED,
        synthetic=not images,
        n_images=len(files),
        mean_kilobytes=sum(map(len, files)) / len(files) / 1e3,
        rounds=rounds,
        seconds=seconds,
        servers=tuple(contender.server for contender in contenders),
        left_out=left_out,
        limits=limits,
        visits=visits,
        checks=judge(visits, limits),
    )


def _rounds(
    contenders: Sequence[Contender],
    setting: Setting,
    files: Sequence[bytes],
    rounds: int,
    seconds: float,
    run: RunLoad,
    step: Step,
) -> tuple[tuple[Limit, ...], tuple[Visit, ...]]:
    """All in turns, round after round: what disturbs one disturbs all."""
    spec = setting.bundle.spec
    work = Work(setting.bundle.model, spec.image_size, spec.crop, files)
    limits, visits = [], []
    for number in range(1, rounds + 1):
        step.advance(0, server="bare loop")
        limits += [_limit(work, n, number, seconds) for n in sorted({1, setting.cores})]
        step.advance()
        for contender in contenders:
            step.advance(0, server=contender.server.name)
            visits.append(visit(contender, number, files, seconds, run))
            step.advance()
    return tuple(limits), tuple(visits)


def _limit(work: Work, processes: int, number: int, seconds: float) -> Limit:
    pace = bare_pace(work, processes, seconds)
    return Limit(
        round=number,
        processes=processes,
        images_per_second=pace.images_per_second,
        cpu_ms=1000 * pace.cpu_seconds,
        p50_ms=1000 * median(pace.latencies),
    )


@contextmanager
def _loader() -> Iterator[RunLoad]:
    """The load generator, in one process that stays."""
    with ProcessPoolExecutor(1, get_context("spawn"), ignore_interrupt) as pool:
        yield lambda plan: pool.submit(run_load, plan).result()

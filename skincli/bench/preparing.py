"""The verb `bench prepare`: packing images beside a bare decode loop, in one run."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from skincli.bench.bare import on_cores
from skincli.bench.images import drawn_jpegs, given_jpegs
from skincli.bench.packing import Subject
from skincli.bench.records import PrepareBench, Speed
from skincli.config.schema import Config
from skincli.data.packing.decode import Shot
from skincli.data.packing.packed import CHUNK
from skincli.data.storage import require_space
from skincli.imaging import Limits
from skincli.progress import Progress, Step

_FACTORS: Final = (1, 4, 16)
_CHUNKS_PER_CORE: Final = 2


def bench_prepare(
    config: Config, images: Sequence[Path], most: int, rounds: int, progress: Progress
) -> PrepareBench:
    """Measure packing at the configured size and crop. Nothing is kept on the disk.

    `images` are folders, zip archives and JPEG files, of which `most` images are taken; without
    any, images are drawn. Raises DataError for images that cannot be used.
    """
    limits = Limits.of(config.image)
    files = given_jpegs(images, limits, most) if images else drawn_jpegs(most)
    shot = Shot(config.data.image_size, config.data.crop, limits)
    cores = sorted({1, len(os.sched_getaffinity(0))})
    total = rounds * (1 + 2 * len(cores)) + len(_FACTORS) + 1
    with (
        TemporaryDirectory(prefix="skincli-bench-") as name,
        progress.step("Measuring", total) as step,
    ):
        folder = Path(name)
        require_space(folder, _FACTORS[-1] * len(files) * shot.size**2 * 3)
        subject = Subject.lay_out(folder, files, shot)
        decoding, speeds = _speeds(subject, cores, rounds, step)
        growth = []
        for factor in _FACTORS:
            growth.append(subject.growth(factor))
            step.advance()
        reading = subject.reading()
        step.advance()
    return PrepareBench(
        synthetic=not images,
        n_images=len(files),
        mean_kilobytes=sum(map(len, files)) / len(files) / 1e3,
        image_size=shot.size,
        crop=shot.crop,
        rounds=rounds,
        decoding=decoding,
        speeds=speeds,
        growth=tuple(growth),
        reading=reading,
    )


def _speeds(
    subject: Subject, cores: Sequence[int], rounds: int, step: Step
) -> tuple[float, tuple[Speed, ...]]:
    """Decoding alone, then the bare loop and packing in turns: what disturbs one disturbs all."""
    counts = {n: max(len(subject.files), _CHUNKS_PER_CORE * CHUNK * n) for n in cores}
    decoding: list[float] = []
    bare: dict[int, list[float]] = {n: [] for n in cores}
    packing: dict[int, list[float]] = {n: [] for n in cores}
    for _ in range(rounds):
        with on_cores(1):
            decoding.append(subject.decoding_seconds())
            step.advance()
        for n, count in counts.items():
            with on_cores(n):
                bare[n].append(subject.bare_seconds(count))
                step.advance()
                packing[n].append(subject.packing_seconds(count))
                step.advance()
    speeds = (
        Speed(n, count / min(bare[n]), count / min(packing[n]), min(bare[n]) / min(packing[n]))
        for n, count in counts.items()
    )
    return len(subject.files) / min(decoding), tuple(speeds)

"""The verb `predict`: images to rows, a bad image to a row that says what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np

from skincli.bundle import Bundle, BundleSpec
from skincli.config.schema import Config
from skincli.errors import ImageError
from skincli.imaging import Limits, Pixels, read_input, read_picture
from skincli.inference.abstaining import abstentions
from skincli.inference.engine import Classifier, Floats, Scores
from skincli.inference.heatmap import overlay
from skincli.inference.reasons import Reason
from skincli.prediction.find import find_images
from skincli.prediction.heatmaps import HeatmapFolder
from skincli.prediction.reading import read_bytes
from skincli.prediction.rows import PredictionRow, PredictResult
from skincli.progress import Progress, Step
from skincli.tracking.resolve import resolve


@dataclass(frozen=True, slots=True)
class _Input:
    """One image file read: the network's input, or what is wrong with it."""

    path: Path
    pixels: Pixels | None = None
    picture: Pixels | None = None
    error: str | None = None


def predict(
    config: Config,
    paths: Sequence[Path],
    model: str | None,
    progress: Progress,
    heatmaps: Path | None = None,
) -> PredictResult:
    """Ask `model` (None: the alias in the registry) about files and folders of images.

    Where `heatmaps` names a folder, each image gets a class activation map of its predicted
    class there. Raises UsageError or DataError when there is no image to ask about.
    """
    images = find_images(paths)
    registry = config.registry
    resolved = resolve(config, model or f"models:/{registry.name}@{registry.alias}")
    folder = HeatmapFolder(heatmaps, images) if heatmaps else None
    with progress.step("Predicting", len(images)) as step:
        rows = tuple(_predict_all(config, images, resolved.bundle, folder, step))
    spec = resolved.bundle.spec
    return PredictResult(
        rows=rows,
        model=resolved.name,
        version=resolved.version,
        bundle_digest=resolved.bundle.digest,
        synthetic=spec.lineage.synthetic,
        classes=spec.classes,
        operating_point=spec.operating_point,
    )


def _predict_all(
    config: Config,
    images: Sequence[Path],
    bundle: Bundle,
    heatmaps: HeatmapFolder | None,
    step: Step,
) -> Iterator[PredictionRow]:
    """A row per image, in order; a batch at a time, so that memory stays flat."""
    classifier, limits = Classifier(bundle, config.inference.threads), Limits.of(config.image)
    size = config.inference.batch_size
    for start in range(0, len(images), size):
        batch = [
            _read(path, bundle.spec, limits, with_picture=heatmaps is not None)
            for path in images[start : start + size]
        ]
        yield from _predict_batch(batch, classifier, heatmaps)
        step.advance(len(batch))


def _read(path: Path, spec: BundleSpec, limits: Limits, with_picture: bool) -> _Input:
    size, crop = spec.image_size, spec.crop
    try:
        data = read_bytes(path, limits)
        pixels = read_input(data, size, crop, limits)
        picture = read_picture(data, size, crop, limits) if with_picture else None
    except ImageError as error:
        return _Input(path, error=error.message)
    except OSError as error:
        return _Input(path, error=f"the file cannot be read: {error.strerror}")
    return _Input(path, pixels, picture)


def _predict_batch(
    batch: Sequence[_Input], classifier: Classifier, heatmaps: HeatmapFolder | None
) -> Iterator[PredictionRow]:
    pixels = [item.pixels for item in batch if item.pixels is not None]
    scores = classifier.score(np.stack(pixels)) if pixels else None
    reasons = abstentions(scores, classifier.spec.classes) if scores else []
    position = 0
    for item in batch:
        if item.pixels is None or scores is None:
            yield PredictionRow(path=item.path, error=item.error)
            continue
        yield _describe(item, scores, reasons[position], position, classifier.spec, heatmaps)
        position += 1


def _describe(
    item: _Input,
    scores: Scores,
    abstain: Reason | None,
    position: int,
    spec: BundleSpec,
    heatmaps: HeatmapFolder | None,
) -> PredictionRow:
    probabilities: Floats = scores.probabilities[position]
    if not np.isfinite(probabilities).all():
        return PredictionRow(path=item.path, error="the model's answer is not a finite number")
    top = int(scores.decided[position])
    codes = [info.code for info in spec.classes]
    heatmap = None
    if heatmaps is not None and item.picture is not None:
        heatmap = heatmaps.write(item.path, overlay(item.picture, scores.cam[position, top]))
    return PredictionRow(
        path=item.path,
        code=spec.classes[top].code,
        name=spec.classes[top].name,
        probability=float(probabilities[top]),
        malignant_probability=float(scores.malignant[position]),
        malignant=bool(scores.malignant[position] >= spec.operating_point),
        probabilities=dict(zip(codes, probabilities.tolist(), strict=True)),
        conformal_set=tuple(compress(codes, scores.conformal[position])),
        novelty=float(scores.novelty[position]),
        out_of_distribution=bool(scores.novelty[position] > 1),
        abstain=abstain,
        heatmap=heatmap,
    )

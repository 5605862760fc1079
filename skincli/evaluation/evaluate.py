"""The verb `evaluate`: a bundle and a data set in, figures and evidence out."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skincli.bundle import Bundle, overlap
from skincli.config.schema import Config
from skincli.data import Manifest, PreparedSet, prepare
from skincli.errors import DataError, ModelError
from skincli.evaluation.exhibits import choose_exhibits
from skincli.evaluation.findings import EvaluatedPart, Findings, Subject, measure
from skincli.evaluation.metrics import headline
from skincli.evaluation.record import REPORT_FILE, Evaluation, write_evaluation
from skincli.evaluation.scoring import score_rows
from skincli.inference.engine import Classifier
from skincli.progress import Progress
from skincli.tracking.evaluations import publish_evaluation
from skincli.tracking.resolve import ResolvedModel, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult(Findings):
    """What was found, on what, and where it is written.

    `published` is False when the model's run is not in the tracking store.
    """

    folder: Path
    report: Path
    bundle_digest: str
    model: str
    run_id: str | None
    published: bool
    data_name: str
    synthetic: bool
    part: EvaluatedPart
    n_images: int
    n_lesions: int


def evaluate(
    config: Config, model: str, progress: Progress, external: bool = False
) -> EvaluationResult:
    """Measure `model` on the test part, or with `external` on all of another data set.

    Raises ModelError when the configured test part holds what the model was trained on, and
    DataError when an external set holds images or lesions that shaped the model.
    """
    resolved = resolve(config, model)
    bundle = resolved.bundle
    prepared, rows = _images_for(config, bundle, progress, external)
    classifier = Classifier(bundle, config.inference.threads)
    scored = score_rows(classifier, prepared, rows, config.inference.batch_size, progress)
    findings = measure(scored, classifier, prepared, rows, config.evaluate, progress)
    manifest = prepared.manifest
    subject = _subject(resolved, manifest, external)
    exhibits = choose_exhibits(scored, classifier, prepared, rows)
    folder = write_evaluation(
        Evaluation(
            subject=subject,
            settings=config.evaluate,
            predictions=scored,
            findings=findings,
            exhibits=exhibits,
        )
    )
    prefix = f"{manifest.name}_" if external else "test_"
    figures = {f"{prefix}{name}": value for name, value in headline(findings.metrics).items()}
    return EvaluationResult(
        **{each.name: getattr(findings, each.name) for each in fields(findings)},
        folder=folder,
        report=folder / REPORT_FILE,
        bundle_digest=bundle.digest,
        model=resolved.name,
        run_id=resolved.run_id,
        published=publish_evaluation(config, resolved, folder, figures, subject.key),
        data_name=manifest.name,
        synthetic=manifest.synthetic,
        part=subject.part,
        n_images=len(rows),
        n_lesions=len({sample.lesion_id for sample in scored.samples}),
    )


def _subject(resolved: ResolvedModel, manifest: Manifest, external: bool) -> Subject:
    return Subject(
        bundle_digest=resolved.bundle.digest,
        model=resolved.name,
        version=resolved.version,
        run_id=resolved.run_id,
        spec=resolved.bundle.spec,
        manifest=manifest,
        part="external" if external else "test",
    )


def as_the_model_sees(config: Config, bundle: Bundle) -> Config:
    """The same config, with the image size and crop that the model was trained on."""
    spec = bundle.spec
    return replace(config, data=replace(config.data, image_size=spec.image_size, crop=spec.crop))


def _images_for(
    config: Config, bundle: Bundle, progress: Progress, external: bool
) -> tuple[PreparedSet, NDArray[np.intp]]:
    """The prepared set and the rows of it that this model may be measured on."""
    if not external:
        other = f"`--data {config.data.set_name}` to test it on another data set"
        require_same_data(config, bundle, other)
    prepared = prepare(as_the_model_sees(config, bundle), progress).prepared
    if external:
        _require_unseen(bundle, prepared)
        return prepared, np.arange(len(prepared.samples))
    rows = prepared.rows("test")
    _require_unseen_test(bundle, prepared, rows, progress)
    return prepared, rows


def require_same_data(config: Config, bundle: Bundle, alternative: str = "") -> None:
    """Raises ModelError before any image is read: the commonest slip is another `data=`.

    `alternative` is what else its user may have meant.
    """
    trained_on, named = bundle.spec.lineage.data_name, config.data.set_name
    if trained_on != named:
        raise ModelError(
            f"the model was trained on `{trained_on}` and the config names `{named}`",
            ", or ".join(filter(None, (f"add `{_settings_of(bundle)}`", alternative))),
        )


def _settings_of(bundle: Bundle) -> str:
    """The overrides that name the data set of the training."""
    lineage = bundle.spec.lineage
    source = lineage.config["data"]["source"]
    named = "" if lineage.data_name == source else f" data.name={lineage.data_name}"
    return f"data={source}{named}"


def _require_unseen_test(
    bundle: Bundle, prepared: PreparedSet, rows: NDArray[np.intp], progress: Progress
) -> None:
    """The split may have grown since, as long as nothing in its test part shaped the model."""
    theirs, ours = bundle.spec.lineage.split_fingerprint, prepared.manifest.split_fingerprint
    if theirs == ours:
        return
    files, lesions = _seen(bundle, prepared, rows)
    if files or lesions:
        raise ModelError(
            f"the model was trained on split {theirs[:12]} of `{prepared.manifest.name}`; split "
            f"{ours[:12]} of the config tests it on {files} images and {lesions} lesions of that",
            "give the data settings of its training again (`data.parts.*`), or train a new model",
        )
    progress.note(f"The split was {theirs[:12]} at training; nothing tested was trained on")


def _require_unseen(bundle: Bundle, prepared: PreparedSet) -> None:
    name = prepared.manifest.name
    files, lesions = _seen(bundle, prepared, np.arange(len(prepared.samples)))
    if files or lesions:
        raise DataError(
            f"`{name}` is no external test set for this model, which was trained on {files} images "
            f"and {lesions} lesions of it",
            "take them out, or evaluate on the test part without `--data`",
        )


def _seen(bundle: Bundle, prepared: PreparedSet, rows: NDArray[np.intp]) -> tuple[int, int]:
    """How many files and lesions of `rows` shaped the model."""
    samples = [prepared.samples[row] for row in rows]
    key = prepared.manifest.lesion_key
    return (
        overlap(bundle, "files", (s.sha256 for s in samples)),
        overlap(bundle, "lesions", (key(s.lesion_id) for s in samples)),
    )

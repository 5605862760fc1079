"""Which sections a report has, in what order."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from matplotlib.figure import Figure

from skincli.evaluation.exhibits import Exhibit
from skincli.evaluation.findings import Findings, Subject
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.report import card, measured
from skincli.evaluation.report.blocks import Facts, Gallery, Section, Text
from skincli.evaluation.report.html import to_html
from skincli.evaluation.report.markdown import to_markdown


def render(
    subject: Subject,
    predictions: Predictions,
    findings: Findings,
    exhibits: Sequence[Exhibit],
    figures: Mapping[str, Figure],
) -> tuple[str, str]:
    """The report as HTML and as Markdown."""
    title = f"Model card: {subject.spec.backbone} on {subject.manifest.name}"
    head = _head(subject, predictions)
    content = (
        measured.summary(findings),
        card.intended_use(subject),
        card.limits(subject, findings),
        card.training_data(subject),
        measured.metrics(findings),
        measured.calibration(findings, subject),
        measured.subgroups(findings),
        measured.abstention(findings),
        _mistakes(exhibits),
        card.ethics(),
    )
    synthetic = subject.manifest.synthetic
    return (
        to_html(title, head, content, figures, synthetic),
        to_markdown(title, head, content, synthetic),
    )


def _head(subject: Subject, predictions: Predictions) -> Facts:
    manifest = subject.manifest
    part = "test part" if subject.part == "test" else "the whole set, external"
    n_lesions = len(set(predictions.lesions))
    return Facts(
        {
            "model": subject.model + (f", version {subject.version}" if subject.version else ""),
            "bundle": subject.bundle_digest,
            "run": subject.run_id or "unknown",
            "measured on": f"{manifest.name}, {part}",
            "images": f"{len(predictions.labels):,} of {n_lesions:,} lesions",
            "test fingerprint": manifest.test_fingerprint,
            "split fingerprint": manifest.split_fingerprint,
        }
    )


def _mistakes(exhibits: Sequence[Exhibit]) -> Section:
    explained = (
        "Each image as the network saw it, and where it found evidence for its diagnosis. One "
        "image per lesion."
    )
    galleries = (
        Gallery(kind, tuple(group)) for kind, group in groupby(exhibits, lambda each: each.kind)
    )
    return Section("Mistakes and certainties", (Text(explained), *galleries))

"""The sections with the figures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from skincli.evaluation.diagnosing import CLASS_FIGURES
from skincli.evaluation.findings import Findings, Subject
from skincli.evaluation.metrics import HEADLINE
from skincli.evaluation.report.blocks import (
    Block,
    Picture,
    Section,
    Table,
    Text,
    number,
    spread,
    words,
)
from skincli.evaluation.resampling import Interval
from skincli.evaluation.shortcut import Shortcut
from skincli.evaluation.subgroups import FIGURES

_CALIBRATION: Final = ("ece", "brier", "log_loss")


def summary(findings: Findings) -> Section:
    point = findings.metrics.operating_point
    text = (
        "Diagnoses are those of the decision rule; malignant sensitivity and specificity are at "
        f"the operating point {point:.3f}, which was fitted on other images. In brackets: 95 % "
        "intervals from lesions drawn with replacement."
    )
    return Section("Summary", (_table(HEADLINE, findings.intervals), Text(text)))


def metrics(findings: Findings) -> Section:
    """Everything but what the summary and the calibration say."""
    found = findings.intervals
    others = [
        name
        for name in found
        if not name.startswith("per_class.") and name not in {*HEADLINE, *_CALIBRATION}
    ]
    rows = [
        [code, f"{one.n:,}", *(spread(found.get(f"per_class.{code}.{n}")) for n in CLASS_FIGURES)]
        for code, one in findings.metrics.per_class.items()
    ]
    return Section(
        "Metrics",
        (
            Text("One class against the rest:"),
            Table(["class", "images", *map(words, CLASS_FIGURES)], rows),
            Text("Overall, and at thresholds that these images themselves would choose:"),
            _table(others, found),
            Picture("confusion_matrix", "Confusion matrix in counts and rates"),
            Picture("roc", "ROC curves of each class and of malignancy"),
            Picture("precision_recall", "Precision-recall curves of each class and of malignancy"),
        ),
    )


def calibration(findings: Findings, subject: Subject) -> Section:
    rows = [
        [words(name), spread(findings.uncalibrated.get(name)), spread(findings.intervals.get(name))]
        for name in _CALIBRATION
    ]
    text = (
        f"Temperature {subject.spec.temperature:.3f}, fitted on the calibration part. ECE has "
        "bins of equal mass; smaller is better for all three."
    )
    return Section(
        "Calibration",
        (
            Table(["figure", "before temperature scaling", "after"], rows),
            Text(text),
            Picture("reliability", "Accuracy against confidence, before and after scaling"),
        ),
    )


def subgroups(findings: Findings) -> Section:
    if not findings.subgroups:
        return Section("Subgroups", (Text("The metadata tell nothing to group the images by."),))
    rows = [
        [
            f"{group.kind}: {group.name}" + (" (small)" if group.small else ""),
            *(f"{count:,}" for count in (group.n_images, group.n_lesions, group.n_malignant)),
            *(spread(group.figures.get(name)) for name in FIGURES),
        ]
        for group in findings.subgroups
    ]
    columns = ["subgroup", "images", "lesions", "malignant", *map(words, FIGURES)]
    return Section(
        "Subgroups",
        (
            Picture("subgroups", "Figures of each subgroup with their intervals"),
            Table(columns, rows),
            *_shortcut(findings.shortcut, findings.intervals.get("macro_auroc")),
        ),
    )


def abstention(findings: Findings) -> Section:
    found = findings.abstention
    text = (
        f"Sets of diagnoses promise to hold the true one for {found.promised_coverage:.0%} of "
        f"lesions. {found.novel:.1%} of the images are called out of distribution "
        f"({found.stated_false_alarms:.0%} were to be expected), {found.withheld:.1%} of the "
        f"answers are withheld; accuracy on the rest is {number(found.answered_accuracy)}."
    )
    rows = [
        [name, f"{sets.lesions:,}", number(sets.coverage), number(sets.size)]
        for name, sets in {"all": found.sets, **found.sets_by_class}.items()
    ]
    detected = [[kind, f"{share:.0%}"] for kind, share in found.detected.items()]
    return Section(
        "When it had better not answer",
        (
            Text(text),
            Table(["class", "lesions", "coverage", "classes in a set"], rows),
            Table(["generated picture", "called out of distribution"], detected),
        ),
    )


def _shortcut(found: Shortcut | None, model: Interval | None) -> Iterator[Block]:
    if found is None:
        yield Text("Shortcut check: the images come from one source, or none is told.")
        return
    strength = "" if found.cramers_v is None else f" (Cramér's V {found.cramers_v:.2f})"
    text = f"Shortcut check: {found.n_sources} sources{strength}."
    if found.macro_auroc:
        text += (
            f" A guess by the source alone has a macro AUROC of {spread(found.macro_auroc)}, where "
            f"0.5 is chance; the model has {spread(model)}."
        )
    yield Text(text)


def _table(names: Sequence[str], found: Mapping[str, Interval]) -> Table:
    return Table(
        ["metric", "value (95 % interval)"], [[words(n), spread(found.get(n))] for n in names]
    )

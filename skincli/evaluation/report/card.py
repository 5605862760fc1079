"""The model card: what a model is for, what it is not, and what it was made from.

Headings follow Mitchell et al. 2019 (arXiv:1810.03993) and, for images of skin, the CLEAR Derm
checklist (Daneshjou et al. 2022, doi:10.1001/jamadermatol.2021.4915).
"""

from collections.abc import Iterator

from skincli.evaluation.findings import Findings, Subject
from skincli.evaluation.report.blocks import Bullets, Facts, Section

_WEAK = 0.1


def intended_use(subject: Subject) -> Section:
    classes = ", ".join(f"{info.name} ({info.code})" for info in subject.spec.classes)
    return Section(
        "Intended use",
        (
            Bullets(
                (
                    "Research, teaching and the comparison of methods on dermatoscopic images of "
                    "single pigmented lesions.",
                    f"It tells apart: {classes}. Any other disease is called one of these.",
                    "Not for diagnosis, triage or self-examination: it is no medical device, and "
                    "no study with patients has been made.",
                )
            ),
        ),
    )


def limits(subject: Subject, findings: Findings) -> Section:
    return Section("Limits", (Bullets(tuple(_limits(subject, findings))),))


def training_data(subject: Subject) -> Section:
    spec, lineage = subject.spec, subject.spec.lineage
    pretrained = lineage.config.get("model", {}).get("pretrained")
    pairs = {
        "data set": lineage.data_name + (" (synthetic)" if lineage.synthetic else ""),
        "licence": lineage.data_licence,
        "files checked": "yes" if lineage.data_verified else "no",
        "split": "by lesion" if lineage.split == "lesion" else lineage.split,
        "data fingerprint": lineage.dataset_fingerprint,
        "split fingerprint": lineage.split_fingerprint,
        "backbone": spec.backbone + (", pretrained" if pretrained else ""),
        "precision": spec.precision,
        "input": f"{spec.image_size} px, {spec.crop}",
        "views per image": str(spec.views),
        "trained": f"{lineage.created}, run {lineage.run_name}",
        "code": lineage.git_commit or "not in git",
    }
    return Section("Training data and model", (Facts(pairs),))


def ethics() -> Section:
    return Section(
        "Ethical note",
        (
            Bullets(
                (
                    "A missed melanoma may cost a life, a false alarm an excision. The operating "
                    "point weighs one against the other, and that choice is for people.",
                    "Figures of a subgroup are no better than its number of lesions. Where a group "
                    "is small or missing, nothing is known, and nothing should be assumed.",
                    "Public sets of dermatoscopic images hold hardly any dark skin (Daneshjou et "
                    "al. 2022, doi:10.1126/sciadv.abq6147): the model must be expected to do worse "
                    "there.",
                    "The images come from patients. The licence of the data binds who uses the "
                    "model.",
                )
            ),
        ),
    )


def _limits(subject: Subject, findings: Findings) -> Iterator[str]:
    if subject.manifest.synthetic:
        yield "The images are drawn: nothing here says anything about real skin."
    for warning in (*subject.spec.lineage.data_warnings, *subject.manifest.warnings):
        yield f"{warning[:1].upper()}{warning[1:]}."
    yield (
        "Intervals tell how far the figures would move on other lesions from the same clinics and "
        "cameras. Elsewhere they may move further."
    )
    yield (
        "An interval without width, at 0 or 1, is no certainty: of so few images, all or none "
        "were right."
    )
    rare = [code for code, found in findings.metrics.per_class.items() if found.n < 30]
    if rare:
        yield f"Fewer than 30 images of: {', '.join(rare)}. Their figures are uncertain."
    small = [f"{group.kind} {group.name}" for group in findings.subgroups if group.small]
    if small:
        yield f"Subgroups that are too small to judge: {', '.join(small)}."
    shortcut = findings.shortcut
    if shortcut and (shortcut.cramers_v or 0) >= _WEAK:
        yield (
            f"The source of an image hints at its class (Cramér's V {shortcut.cramers_v:.2f}): the "
            "model may have learnt the camera."
        )

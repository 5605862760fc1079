"""The verb `compare`: two models that were evaluated on the same images."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skincli.config.schema import Config
from skincli.errors import ModelError, SkincliError
from skincli.evaluation.compare import Difference, aligned, paired_differences
from skincli.evaluation.evaluate import evaluate
from skincli.evaluation.figures import all_figures
from skincli.evaluation.predictions import Predictions
from skincli.evaluation.resampling import point_figures
from skincli.evaluation.stored import comparable
from skincli.progress import Progress
from skincli.tracking.registry import read_registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of both models, and the first minus the second."""

    a: float
    b: float
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """How many images only one of the two diagnosed rightly.

    `p_value` is the exact two-sided one of McNemar's test (1947, doi:10.1007/BF02295996). It takes
    images for independent, and those of one lesion are not: the intervals do not.
    """

    only_a: int
    only_b: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An image that the two diagnose differently, or call malignant and benign."""

    image_id: str
    lesion_id: str
    truth: str
    a: str
    b: str
    a_malignant: bool
    b_malignant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareResult:
    """`figures` by their flat names, as in `evaluation.json`."""

    a: str
    b: str
    data_name: str
    synthetic: bool
    part: str
    test_fingerprint: str
    n_images: int
    n_lesions: int
    figures: dict[str, Compared]
    mcnemar: McNemar
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstChampion:
    """A model held against the champion; else `obstacle` is why it cannot be."""

    compared: CompareResult | None
    obstacle: str


def compare(config: Config, a: str, b: str, progress: Progress) -> CompareResult:
    """Hold model `a` against model `b`, figure by figure.

    Raises ModelError when they were not evaluated on the same split, DataError when an evaluation
    is damaged.
    """
    with tempfile.TemporaryDirectory() as scratch:
        first, second = comparable(config, a, b, Path(scratch))
        ours = first.predictions()
        theirs = aligned(ours, second.predictions())
    settings = config.evaluate
    differences = paired_differences(
        ours, theirs, resamples=settings.resamples, seed=settings.seed, progress=progress
    )
    record = first.record
    return CompareResult(
        a=a,
        b=b,
        data_name=record["data_name"],
        synthetic=record["synthetic"],
        part=record["part"],
        test_fingerprint=record["test_fingerprint"],
        n_images=len(ours.labels),
        n_lesions=len(set(ours.lesions)),
        figures=_figures(ours, theirs, differences),
        mcnemar=mcnemar(ours, theirs),
        disagreements=_disagreements(ours, theirs),
    )


def compare_with_champion(config: Config, model: str, progress: Progress) -> AgainstChampion:
    """The same against the version that `registry.alias` names.

    A champion that was never measured on these images is measured now. Raises ModelError when the
    model itself was not evaluated; what keeps the champion from being compared (it is of another
    data set or task, or learned from these images) is the answer's `obstacle`.
    """
    champion = read_registry(config).current(config.registry.alias)
    if champion is None:
        return AgainstChampion(compared=None, obstacle="there is no champion yet")
    with tempfile.TemporaryDirectory() as scratch:
        comparable(config, model, model, Path(scratch))
    uri = f"models:/{config.registry.name}/{champion.version}"
    try:
        return AgainstChampion(compared=_measured(config, model, uri, progress), obstacle="")
    except SkincliError as error:
        why = f"version {champion.version} cannot be compared: {error.message}"
        return AgainstChampion(compared=None, obstacle=why)


def _measured(config: Config, model: str, champion: str, progress: Progress) -> CompareResult:
    try:
        return compare(config, model, champion, progress)
    except ModelError:
        progress.note(f"{champion} was not measured on these images: doing so")
        evaluate(config, champion, progress)
        return compare(config, model, champion, progress)


def mcnemar(a: Predictions, b: Predictions) -> McNemar:
    """McNemar's test on the diagnoses of the same images in the same order."""
    from scipy.stats import binomtest

    right, theirs = a.decided == a.labels, b.decided == b.labels
    only_a, only_b = int((right & ~theirs).sum()), int((theirs & ~right).sum())
    differing = only_a + only_b
    p_value = float(binomtest(only_a, differing).pvalue) if differing else 1.0
    return McNemar(only_a=only_a, only_b=only_b, p_value=p_value)


def _figures(
    a: Predictions, b: Predictions, differences: dict[str, Difference]
) -> dict[str, Compared]:
    ours, theirs = (point_figures(all_figures(each), len(each.labels)) for each in (a, b))
    found = {}
    for name, difference in differences.items():
        first, second = ours[name], theirs[name]
        if first is not None and second is not None:
            found[name] = Compared(a=first, b=second, difference=difference)
    return found


def _disagreements(a: Predictions, b: Predictions) -> tuple[Disagreement, ...]:
    """Those about malignancy first."""
    codes = [info.code for info in a.classes]
    on_malignancy = a.flagged != b.flagged
    on_diagnosis = (a.decided != b.decided) & ~on_malignancy
    return tuple(
        Disagreement(
            image_id=a.samples[row].image_id,
            lesion_id=a.samples[row].lesion_id,
            truth=codes[a.labels[row]],
            a=codes[a.decided[row]],
            b=codes[b.decided[row]],
            a_malignant=bool(a.flagged[row]),
            b_malignant=bool(b.flagged[row]),
        )
        for row in [*np.flatnonzero(on_malignancy), *np.flatnonzero(on_diagnosis)]
    )

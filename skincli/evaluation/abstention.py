"""What a model knows of what it does not know: sets, strange images, and answers withheld."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skincli.data import PreparedSet
from skincli.evaluation.calibration import Flags
from skincli.evaluation.near_misses import near_misses
from skincli.evaluation.predictions import Predictions
from skincli.inference.abstaining import undecided
from skincli.inference.engine import Classifier
from skincli.progress import Progress

# The same pictures for every model, but for the blurred ones, which are images of the set.
_OF_A_KIND: Final = 50
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFigures:
    """`coverage` is the share of lesions whose set holds the true class, each lesion counting once
    and shared by its images, as was promised; `size` is the mean number of classes in a set.

    None where there is no image. `marginal` where the promise is not for this class alone.
    """

    lesions: int
    coverage: float | None
    size: float | None
    marginal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """`novel`, `undecided` and `withheld` are shares of the images; `withheld` are either.

    `answered_accuracy` is the accuracy on the rest. `detected` is the share of generated pictures
    of each kind that were called out of distribution.
    """

    promised_coverage: float
    stated_false_alarms: float
    sets: SetFigures
    sets_by_class: dict[str, SetFigures]
    novel: float
    undecided: float
    withheld: float
    answered_accuracy: float | None
    detected: dict[str, float]


def measure_abstention(
    scored: Predictions,
    classifier: Classifier,
    prepared: PreparedSet,
    rows: NDArray[np.intp],
    progress: Progress,
) -> Abstention:
    """Figures of `rows [N]` of a set and what `classifier` said of them, `scored`."""
    spec = classifier.spec
    lesions = np.unique([s.lesion_id for s in scored.samples], return_inverse=True)[1]
    novel, both = scored.novelty > 1, undecided(scored.conformal, scored.classes)
    withheld = novel | both
    correct = scored.decided == scored.labels
    everything = np.ones(len(scored.labels), dtype=np.bool_)
    return Abstention(
        promised_coverage=spec.conformal.coverage,
        stated_false_alarms=spec.out_of_distribution.false_alarm_rate,
        sets=_set_figures(scored, lesions, everything, any(spec.conformal.marginal)),
        sets_by_class={
            info.code: _set_figures(
                scored, lesions, scored.labels == index, spec.conformal.marginal[index]
            )
            for index, info in enumerate(scored.classes)
        },
        novel=float(novel.mean()),
        undecided=float(both.mean()),
        withheld=float(withheld.mean()),
        answered_accuracy=float(correct[~withheld].mean()) if not withheld.all() else None,
        detected=_detected(classifier, prepared, rows, progress),
    )


def _set_figures(
    scored: Predictions, lesions: NDArray[np.intp], among: Flags, marginal: bool
) -> SetFigures:
    if not among.any():
        return SetFigures(lesions=0, coverage=None, size=None, marginal=marginal)
    sets, labels = scored.conformal[among], scored.labels[among]
    unit = np.unique(lesions[among], return_inverse=True)[1]
    covered = sets[np.arange(len(labels)), labels]
    return SetFigures(
        lesions=int(unit.max()) + 1,
        coverage=float((np.bincount(unit, covered) / np.bincount(unit)).mean()),
        size=float(sets.sum(axis=1).mean()),
        marginal=marginal,
    )


def _detected(
    classifier: Classifier, prepared: PreparedSet, rows: NDArray[np.intp], progress: Progress
) -> dict[str, float]:
    size, crop = classifier.spec.image_size, classifier.spec.crop
    some = np.random.default_rng(_SEED).choice(rows, min(_OF_A_KIND, len(rows)), replace=False)
    pictures = near_misses(size, crop, prepared.images[np.sort(some)], _OF_A_KIND, _SEED)
    with progress.step("Scoring near misses", len(pictures)) as step:
        found = {}
        for kind, drawn in pictures.items():
            found[kind] = float((classifier.score(drawn).novelty > 1).mean())
            step.advance(1)
    return found

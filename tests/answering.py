"""Predictions of no model, drawn: as right, as many and as confident as a test wants them."""

import numpy as np

from skincli.data import Sample
from skincli.evaluation.predictions import Predictions
from skincli.inference.engine import malignant_probability, softmax
from skincli.taxonomy import DIAGNOSES, Task, classes_of, label_of

_SITES = ("back", "face", "")


def drawn_predictions(
    seed: int = 0,
    n: int = 200,
    skill: float = 1.5,
    task: Task = "multiclass",
    images_per_lesion: int = 2,
    point: float = 0.3,
) -> Predictions:
    """`n` images; those of a lesion share diagnosis, sex, age, site and source.

    The truth is drawn from `n` alone: predictions of another seed or skill are of the same images.
    """
    people = np.random.default_rng(n)
    lesion = np.arange(n) // images_per_lesion
    dx = people.choice(len(DIAGNOSES), n)[lesion]
    traits = people.integers(0, 60, n)[lesion]
    samples = tuple(
        Sample(
            image_id=f"I{row:05}",
            lesion_id=f"L{lesion[row]:05}",
            dx=DIAGNOSES[dx[row]].code,
            part="test",
            sha256=f"{row:064x}",
            dx_type="histo" if trait % 3 else "consensus",
            age=None if trait % 7 == 0 else float(trait + 20),
            sex=("female", "male")[trait % 2],
            localization=_SITES[trait % 3],
            dataset=("vienna", "queensland")[trait % 2],
        )
        for row, trait in enumerate(traits.tolist())
    )
    classes = classes_of(task)
    labels = np.array([label_of(sample.dx, task) for sample in samples], dtype=np.int64)
    noise = np.random.default_rng(seed).normal(size=(n, len(classes)))
    probabilities = softmax((noise + skill * np.eye(len(classes))[labels]).astype(np.float32))
    malignant = malignant_probability(probabilities, classes)
    return Predictions(
        samples=samples,
        labels=labels,
        probabilities=probabilities,
        decided=probabilities.argmax(axis=1),
        malignant=malignant,
        flagged=malignant >= point,
        conformal=probabilities >= 0.2,
        novelty=probabilities[:, 0] * 2,
        classes=classes,
    )

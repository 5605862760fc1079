"""What a model said of each image, in memory and as `predictions.csv`: the only file that knows
its columns."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skincli.data import Sample
from skincli.errors import DataError
from skincli.evaluation.answers import Answers
from skincli.evaluation.calibration import Flags, Floats
from skincli.taxonomy import BINARY, Task, classes_of, label_of

# Nine digits bring every float32 back exactly.
_DIGITS: Final = ".9g"
_SCORE: Final = "p_"
_DOUBTS: Final = ("conformal_set", "ood_score")
_SAMPLE: Final = tuple(field.name for field in fields(Sample))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions(Answers):
    """Answers to N images with their `samples`, as the metadata describe them.

    `conformal [N, C]` are the sets of diagnoses, `novelty [N]` is above 1 out of distribution.
    """

    samples: tuple[Sample, ...]
    conformal: Flags
    novelty: Floats

    @property
    def lesions(self) -> tuple[str, ...]:
        """The lesion of each image `[N]`."""
        return tuple(sample.lesion_id for sample in self.samples)

    def of(self, rows: NDArray[np.intp]) -> "Predictions":
        """Those of `rows`, in their order."""
        return Predictions(
            labels=self.labels[rows],
            probabilities=self.probabilities[rows],
            decided=self.decided[rows],
            malignant=self.malignant[rows],
            flagged=self.flagged[rows],
            classes=self.classes,
            samples=tuple(self.samples[row] for row in rows),
            conformal=self.conformal[rows],
            novelty=self.novelty[rows],
        )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """One row per image: its metadata, the diagnosis, and the scores behind it."""
    codes = [info.code for info in predictions.classes]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _columns(codes), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            _row(predictions, codes, index) for index in range(len(predictions.labels))
        )


def read_predictions(path: Path) -> Predictions:
    """What `write_predictions` wrote. Raises DataError for any other file."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = list(reader)
        return _parsed(reader.fieldnames or (), rows)
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"`{path}` is not as `skincli evaluate` writes it: {error}", "evaluate the model again"
        ) from None


def _columns(codes: Sequence[str]) -> list[str]:
    scores = [*(f"{_SCORE}{code}" for code in codes), "malignant"]
    return [*_SAMPLE, "predicted", "correct", *scores, "malignant_decision", *_DOUBTS]


def _row(predictions: Predictions, codes: Sequence[str], index: int) -> dict[str, object]:
    """Decisions are 0 or 1."""
    decided, row = predictions.decided[index], predictions.probabilities[index]
    members = (
        code for code, inside in zip(codes, predictions.conformal[index], strict=True) if inside
    )
    return {
        **asdict(predictions.samples[index]),
        "predicted": codes[decided],
        "correct": int(decided == predictions.labels[index]),
        **{f"{_SCORE}{code}": f"{p:{_DIGITS}}" for code, p in zip(codes, row, strict=True)},
        "malignant": f"{predictions.malignant[index]:{_DIGITS}}",
        "malignant_decision": int(predictions.flagged[index]),
        "conformal_set": " ".join(members),
        "ood_score": f"{predictions.novelty[index]:{_DIGITS}}",
    }


def _parsed(header: Sequence[str], rows: Sequence[Mapping[str | Any, str]]) -> Predictions:
    codes = [name.removeprefix(_SCORE) for name in header if name.startswith(_SCORE)]
    task: Task = "binary" if codes == [info.code for info in BINARY] else "multiclass"
    if list(header) != _columns([info.code for info in classes_of(task)]):
        raise ValueError("its columns are others")
    if any(None in row or None in row.values() for row in rows):
        raise ValueError("a row has more or fewer cells than columns")
    samples = tuple(_sample(row) for row in rows)
    scores = np.array(
        [[row[f"{_SCORE}{code}"] for code in codes] for row in rows], dtype=np.float32
    )
    return Predictions(
        labels=np.array([label_of(sample.dx, task) for sample in samples], dtype=np.int64),
        probabilities=scores.reshape(len(rows), len(codes)),
        decided=np.array([codes.index(row["predicted"]) for row in rows], dtype=np.intp),
        malignant=np.array([row["malignant"] for row in rows], dtype=np.float32),
        flagged=np.array([row["malignant_decision"] == "1" for row in rows], dtype=np.bool_),
        classes=classes_of(task),
        samples=samples,
        conformal=np.array(
            [[code in row["conformal_set"].split() for code in codes] for row in rows],
            dtype=np.bool_,
        ).reshape(len(rows), len(codes)),
        novelty=np.array([row["ood_score"] for row in rows], dtype=np.float32),
    )


def _sample(row: Mapping[str, str]) -> Sample:
    told: dict[str, Any] = {name: row[name] for name in _SAMPLE}
    return Sample(**told | {"age": float(row["age"]) if row["age"] else None})

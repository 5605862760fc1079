"""The seven diagnoses of HAM10000 and the classes of the two tasks. Pure data.

Codes, names and grouping follow Tschandl et al. 2018 (doi:10.1038/sdata.2018.161); `akiec`
(actinic keratoses and intraepithelial carcinoma) counts as malignant, as in ISIC 2018 Task 3
analyses that ask "excise or not".
"""

from dataclasses import dataclass
from typing import Literal

Task = Literal["multiclass", "binary"]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One output of a model: its short code, its name for people, and whether it is malignant."""

    code: str
    name: str
    malignant: bool


DIAGNOSES: tuple[ClassInfo, ...] = (
    ClassInfo("akiec", "actinic keratosis / intraepithelial carcinoma", True),
    ClassInfo("bcc", "basal cell carcinoma", True),
    ClassInfo("bkl", "benign keratosis-like lesion", False),
    ClassInfo("df", "dermatofibroma", False),
    ClassInfo("mel", "melanoma", True),
    ClassInfo("nv", "melanocytic nevus", False),
    ClassInfo("vasc", "vascular lesion", False),
)
BINARY: tuple[ClassInfo, ...] = (
    ClassInfo("benign", "benign lesion", False),
    ClassInfo("malignant", "malignant lesion", True),
)
MALIGNANT_DIAGNOSES = frozenset(d.code for d in DIAGNOSES if d.malignant)
DIAGNOSIS_CODES = tuple(d.code for d in DIAGNOSES)


def classes_of(task: Task) -> tuple[ClassInfo, ...]:
    """The classes of a task, in the order of the model's outputs."""
    return DIAGNOSES if task == "multiclass" else BINARY


def label_of(diagnosis: str, task: Task) -> int:
    """The output index of a diagnosis code under `task`. Raises KeyError for an unknown code."""
    if diagnosis not in DIAGNOSIS_CODES:
        raise KeyError(diagnosis)
    if task == "binary":
        return int(diagnosis in MALIGNANT_DIAGNOSES)
    return DIAGNOSIS_CODES.index(diagnosis)

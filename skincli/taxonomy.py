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
# What data sets call the seven, in lower case; the ISIC Archive's names are of its diagnosis tree.
# Invasive squamous cell carcinoma is none of them.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "akiec": (
        "actinic keratosis", "actinic keratoses", "solar or actinic keratosis", "bowen's disease",
        "bowen disease", "intraepithelial carcinoma", "squamous cell carcinoma in situ",
        "squamous cell carcinoma in situ, bowens disease",
    ),
    "bcc": (
        "basal cell carcinoma", "basal cell carcinoma, nos", "basal cell carcinoma, nodular",
        "basal cell carcinoma, superficial", "basal cell carcinoma, infiltrating",
    ),
    "bkl": (
        "benign keratosis", "benign keratosis-like lesions", "pigmented benign keratosis",
        "seborrheic keratosis", "solar lentigo", "lichen planus like keratosis",
        "lichen planus-like keratosis",
    ),
    "df": ("dermatofibroma",),
    "mel": (
        "melanoma", "melanoma, nos", "melanoma invasive", "melanoma in situ", "melanoma metastasis",
        "nodular melanoma",
    ),
    "nv": (
        "nevus", "naevus", "nevi", "melanocytic nevi", "nevus, nos", "benign melanocytic nevus",
        "blue nevus", "spitz nevus", "dysplastic nevus", "nevus, atypical, dysplastic, or clark",
    ),
    "vasc": (
        "vascular lesions", "vascular", "angioma", "hemangioma", "cherry angioma", "angiokeratoma",
        "pyogenic granuloma", "hemorrhage",
        "benign soft tissue proliferations - vascular",
    ),
}  # fmt: skip
MALIGNANT_DIAGNOSES = frozenset(d.code for d in DIAGNOSES if d.malignant)
DIAGNOSIS_CODES = tuple(d.code for d in DIAGNOSES)


_CODES = {
    **{name: code for code, names in _SYNONYMS.items() for name in names},
    **{known.name: known.code for known in DIAGNOSES},
    **{code: code for code in DIAGNOSIS_CODES},
}


def diagnosis_code(text: str) -> str | None:
    """The code of a diagnosis given as a code or a name in any case, None where it is no such."""
    return _CODES.get(" ".join(text.replace("_", " ").lower().split()))


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

"""Rows that can be used, and those that cannot: each is named, located and left out."""

from dataclasses import replace

import pytest

from skincli.data.reading.metadata import Metadata, check_rows, lesion_diagnoses, some
from skincli.data.reading.table import RawRow
from skincli.data.records import Rejected
from skincli.taxonomy import DIAGNOSIS_CODES, diagnosis_code

SOUND = RawRow(line=2, image_id="a", lesion_id="L1", dx="nv")


class Images:
    """The ids that a store would know."""

    def __init__(self, *ids: str, duplicates: tuple[str, ...] = (), refused: str = "") -> None:
        self._ids = ids
        self._refused = refused
        self.duplicates = frozenset(duplicates)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._ids

    def fault(self, image_id: str) -> tuple[str, str] | None:
        return ("encrypted zip entry", "x.zip") if image_id == self._refused else None


def checked(*rows: RawRow, images: Images | None = None) -> Metadata:
    return check_rows(rows, images or Images(*(row.image_id for row in rows)))


def test_sound_rows_are_kept_and_sorted_by_image() -> None:
    metadata = checked(
        replace(SOUND, image_id="b", line=2, age="80.0", sex="male", dataset="x", part="test"),
        replace(SOUND, image_id="a", line=3, dx_type="histo", localization="back"),
    )
    first, second = metadata.rows
    assert (first.image_id, first.line, first.age, first.part) == ("a", 3, None, None)
    assert (first.dx_type, first.localization) == ("histo", "back")
    assert (second.image_id, second.age, second.sex, second.part) == ("b", 80.0, "male", "test")
    assert (second.dataset, second.lesion_id, second.dx) == ("x", "L1", "nv")
    assert (metadata.rejected, metadata.oddities) == ([], [])


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"image_id": ""}, "empty image id", "L1"),
        ({"lesion_id": ""}, "empty lesion id", ""),
        ({"lesion_id": "NaN"}, "empty lesion id", "NaN"),
        ({"dx": "wart"}, f"diagnosis not one of {' '.join(DIAGNOSIS_CODES)}", "wart"),
        ({"dx": ""}, f"diagnosis not one of {' '.join(DIAGNOSIS_CODES)}", ""),
        ({"age": "999"}, "age not a number from 0 to 120", "999"),
        ({"age": "old"}, "age not a number from 0 to 120", "old"),
        ({"age": "-1"}, "age not a number from 0 to 120", "-1"),
        ({"age": "-nan"}, "age not a number from 0 to 120", "-nan"),
        ({"age": "inf"}, "age not a number from 0 to 120", "inf"),
        ({"surplus": "male"}, "more cells than columns", "male"),
    ],
)
def test_a_bad_row_is_left_out_with_its_line_and_reason(
    change: dict[str, str], reason: str, detail: str
) -> None:
    bad = replace(SOUND, line=7, **change)
    metadata = checked(replace(SOUND, image_id="b"), bad)
    assert metadata.rejected == [Rejected(7, bad.image_id, reason, detail)]
    assert [row.image_id for row in metadata.rows] == ["b"]


@pytest.mark.parametrize("age", ["", "unknown", "NaN", "n/a", "None"])
def test_an_unknown_age_is_none(age: str) -> None:
    assert checked(replace(SOUND, age=age)).rows[0].age is None


@pytest.mark.parametrize(("age", "years"), [("0", 0), ("0.0", 0), ("7.5", 7.5), ("120", 120)])
def test_ages_from_0_to_120_are_kept(age: str, years: float) -> None:
    assert checked(replace(SOUND, age=age)).rows[0].age == years


def test_age_0_is_kept_and_told() -> None:
    rows = [replace(SOUND, image_id=f"i{n}", line=n, age=age) for n, age in enumerate("01020", 2)]
    metadata = checked(*rows)
    assert len(metadata.rows) == 5
    assert metadata.oddities == ["age 0: 3 rows, kept (from line 2)"]
    assert checked(replace(SOUND, age="0")).oddities == ["age 0: 1 row, kept (from line 2)"]


def test_a_row_that_says_the_same_again_is_left_out() -> None:
    again = [replace(SOUND, line=3, dx="Melanocytic Nevus"), replace(SOUND, line=4, age="50")]
    metadata = checked(SOUND, *again)
    assert [row.line for row in metadata.rows] == [2]
    assert metadata.rejected == [
        Rejected(line, "a", "image listed twice", "as in line 2") for line in (3, 4)
    ]


@pytest.mark.parametrize("change", [{"dx": "mel"}, {"lesion_id": "L2"}, {"part": "test"}])
def test_of_rows_that_contradict_each_other_none_is_kept(change: dict[str, str]) -> None:
    third = replace(SOUND, line=9, **change)
    metadata = checked(SOUND, replace(SOUND, line=3), third)
    assert metadata.rows == []
    reason = "image listed with conflicting labels"
    assert metadata.rejected == [
        Rejected(2, "a", reason, "L1 nv"),
        Rejected(3, "a", reason, "L1 nv"),
        Rejected(9, "a", reason, f"{third.lesion_id} {third.dx}"),
    ]


def test_images_without_a_name_are_not_taken_for_one_image() -> None:
    rows = [replace(SOUND, image_id="", line=line, dx=dx) for line, dx in ((2, "nv"), (3, "mel"))]
    reasons = {item.reason for item in checked(*rows).rejected}
    assert reasons == {"empty image id"}


def test_rows_whose_image_is_missing_ambiguous_or_refused() -> None:
    rows = [replace(SOUND, image_id=name, line=n) for n, name in enumerate("abcd", 2)]
    metadata = checked(*rows, images=Images("a", "b", duplicates=("b",), refused="c"))
    assert [row.image_id for row in metadata.rows] == ["a"]
    assert metadata.rejected == [
        Rejected(3, "b", "several image files of that name", ""),
        Rejected(4, "c", "encrypted zip entry", "x.zip"),
        Rejected(5, "d", "image missing", ""),
    ]


def test_a_lesion_with_two_diagnoses_is_told_and_takes_the_one_of_most_images() -> None:
    votes = [("L1", "nv"), ("L1", "mel"), ("L1", "nv"), ("L2", "nv"), ("L2", "bkl"), ("L3", "df")]
    metadata = checked(
        *(replace(SOUND, image_id=f"i{n}", lesion_id=k, dx=dx) for n, (k, dx) in enumerate(votes))
    )
    assert metadata.oddities == ["lesions with more than one diagnosis: 2 (L1, L2)"]
    assert lesion_diagnoses(metadata.rows) == {"L1": "nv", "L2": "bkl", "L3": "df"}


def test_long_lists_are_counted_and_cut() -> None:
    assert some(["a"]) == "1 (a)"
    assert some([f"i{n}" for n in range(1200)]) == "1,200 (i0, i1, i2, …)"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mel", "mel"), ("MEL", "mel"), ("Melanoma", "mel"), ("basal cell carcinoma", "bcc"),
        ("Basal_Cell_Carcinoma", "bcc"), ("  vascular   lesion ", "vasc"),
        ("Bowen's disease", "akiec"),
        ("Actinic Keratosis / Intraepithelial Carcinoma", "akiec"), ("seborrheic keratosis", "bkl"),
        ("Nevus", "nv"), ("Dermatofibroma", "df"), ("squamous cell carcinoma in situ", "akiec"),
        ("squamous cell carcinoma", None), ("scc", None), ("melano", None), ("", None),
    ],
)  # fmt: skip
def test_diagnoses_are_understood_by_code_and_by_name(text: str, code: str | None) -> None:
    assert diagnosis_code(text) == code

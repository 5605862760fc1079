from pathlib import Path

import pytest

from skincli.config.data import ColumnsConfig
from skincli.data.reading.metadata import image_id_of, read_metadata
from skincli.errors import DataError

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset\n"


class Images:
    """The ids that a store would know."""

    def __init__(self, *ids: str, duplicates: tuple[str, ...] = ()) -> None:
        self._ids = ids
        self.duplicates = frozenset(duplicates)

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._ids


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "metadata.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_rows_are_read_and_sorted_by_image(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEADER + "L2,b.jpg,mel,histo,80.0,male,back,x\nL1,a, NV ,histo,,unknown,,\n",
        encoding="utf-8-sig",
    )
    first, second = read_metadata(path, ColumnsConfig())
    assert (first.image_id, first.dx, first.age, first.line) == ("a", "nv", None, 3)
    assert (second.image_id, second.lesion_id, second.age) == ("b", "L2", 80.0)


def test_optional_columns_may_be_absent(tmp_path: Path) -> None:
    (row,) = read_metadata(write(tmp_path, "image_id,lesion_id,dx\na,L,nv\n"), ColumnsConfig())
    assert (row.age, row.sex, row.dataset) == (None, "", "")


@pytest.mark.parametrize("age", ["", "unknown", "NaN", "n/a"])
def test_an_unknown_age_is_none(tmp_path: Path, age: str) -> None:
    path = write(tmp_path, f"image_id,lesion_id,dx,age\na,L,nv,{age}\n")
    assert read_metadata(path, ColumnsConfig())[0].age is None


def test_all_problems_are_counted_and_located_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEADER
        + "L1,a,nv,,,,,\n"
        + "L1,a.jpg,nv,,,,,\n"
        + ",b,nv,,,,,\n"
        + "L3,c,wart,,,,,\n"
        + "L4,d,nv,,old,,,\n"
        + "L5,e,nv,,140,,,\n"
        + "L6,gone,nv,,,,,\n"
        + "L7,twice,nv,,,,,\n"
        + "L8,,nv,,,,,\n",
    )
    images = Images("a", "b", "c", "d", "e", "twice", duplicates=("twice",))
    with pytest.raises(DataError) as caught:
        read_metadata(path, ColumnsConfig(), images)
    message = caught.value.message
    assert "8 problems" in message
    for expected in (
        "image listed twice: 1 (line 3: `a`)",
        "empty lesion id: 1 (line 4: `b`)",
        "diagnosis not one of akiec bcc bkl df mel nv vasc: 1 (line 5: `wart`)",
        "age not a number from 0 to 120: 2 (line 6: `old`, line 7: `140`)",
        "image missing: 1 (line 8: `gone`)",
        "several image files of that name: 1 (line 9: `twice`)",
        "empty image id: 1 (line 10)",
    ):
        assert expected in message


def test_a_hundred_places_of_a_kind_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    rows = "".join(f"i{n},L,wart\n" for n in range(150))
    with pytest.raises(DataError) as caught:
        read_metadata(write(tmp_path, "image_id,lesion_id,dx\n" + rows), ColumnsConfig())
    assert "150 (line 2: `wart`, line 3: `wart`, " in caught.value.message
    assert "line 101: `wart` and 50 more)" in caught.value.message
    assert "line 102" not in caught.value.message


def test_missing_columns_are_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks the columns lesion_id, dx; it has image_id, other"):
        read_metadata(write(tmp_path, "image_id,other\na,b\n"), ColumnsConfig())


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("", "utf-8", "lacks the columns"),
        ("image_id,lesion_id,dx\n", "utf-8", "no rows"),
        ("image_id,lesion_id,dx\nä,L,nv\n", "latin-1", "not UTF-8"),
    ],
)
def test_unusable_files(tmp_path: Path, text: str, encoding: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_metadata(write(tmp_path, text, encoding), ColumnsConfig())


def test_a_short_row_is_reported_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="empty lesion id"):
        read_metadata(write(tmp_path, "image_id,lesion_id,dx\na\n"), ColumnsConfig())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", "a"), ("a.jpg", "a"), ("A.1.JPEG", "A.1"), ("a.1", "a.1"), ("sub/a.png", "a")],
)
def test_image_ids_come_with_or_without_suffix(name: str, expected: str) -> None:
    assert image_id_of(name) == expected

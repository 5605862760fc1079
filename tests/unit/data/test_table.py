"""CSV as people write it, and folders named after classes, to rows of text."""

from pathlib import Path

import pytest
from clinic import jpeg

from skincli.config.data import ColumnsConfig
from skincli.data.reading.files import image_id_of
from skincli.data.reading.table import RawRow, class_folder_rows, csv_rows
from skincli.errors import DataError

HEADER = "image_id,lesion_id,dx,age,sex\n"


def rows(
    folder: Path, content: str | bytes, encoding: str = "utf-8", **columns: str
) -> list[RawRow]:
    path = folder / "metadata.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return list(csv_rows(path, ColumnsConfig(**columns)))


def refused(folder: Path, content: str | bytes, encoding: str = "utf-8") -> DataError:
    with pytest.raises(DataError) as caught:
        rows(folder, content, encoding)
    assert str(folder / "metadata.csv") in caught.value.message
    return caught.value


def test_cells_are_trimmed_text_under_our_names(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, HEADER + " a.JPG , L1,nv ,45.0,\tmale\n")
    assert row == RawRow(line=2, image_id="a", lesion_id="L1", dx="nv", age="45.0", sex="male")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark"]
)
def test_a_byte_order_mark_is_understood(tmp_path: Path, encoding: str) -> None:
    text = HEADER + "ä,Lésion,nv,1,ž\n"
    plain, marked = encoding.removesuffix("-mark"), encoding.endswith("-mark")
    (row,) = rows(tmp_path, f"\ufeff{text}" if marked else text, plain)
    assert (row.image_id, row.lesion_id, row.sex) == ("ä", "Lésion", "ž")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_that_of_the_header(tmp_path: Path, separator: str) -> None:
    others = [mark for mark in ",;|" if mark != separator]
    cells = ["a", f"L{others[0]}1", "nv", "4,5" if separator != "," else "4", "".join(others)]
    text = f"{HEADER}{','.join(['x'] * 5)}\n".replace(",", separator) + separator.join(cells)
    _, row = rows(tmp_path, text)
    assert [row.image_id, row.lesion_id, row.dx, row.age, row.sex] == cells


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path: Path, ending: str) -> None:
    found = rows(tmp_path, ending.join(["dx;lesion_id;image_id", "nv;L,1;a", "mel;L2;b"]))
    assert [(row.line, row.image_id) for row in found] == [(2, "a"), (3, "b")]


def test_column_names_are_compared_without_case_and_spaces(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "Image_ID, LESION_ID ,Dx\na,L,nv\n")
    assert (row.image_id, row.lesion_id, row.dx) == ("a", "L", "nv")


def test_columns_are_found_under_configured_names_in_any_order(tmp_path: Path) -> None:
    (row,) = rows(
        tmp_path,
        '"Diagnose ""final""",spot,FILE,image_id\nmel,L,img/a.png,other\n',
        image_id="File",
        lesion_id="spot",
        dx='diagnose "final"',
    )
    assert (row.image_id, row.lesion_id, row.dx) == ("a", "L", "mel")


def test_one_column_may_serve_twice(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "file,dx\na.jpg,nv\n", image_id="file", lesion_id="file")
    assert (row.image_id, row.lesion_id) == ("a", "a.jpg")


def test_missing_columns_are_named_with_those_there_are(tmp_path: Path) -> None:
    error = refused(tmp_path, "image_id,other thing\na,b\n")
    assert "lacks the columns lesion_id, dx; it has image_id, other thing" in error.message
    assert "data.folder.columns.image_id=" in error.hint
    assert "lacks the column dx; it has image_id, lesion_id" in str(
        refused(tmp_path, "image_id,lesion_id\na,b\n")
    )
    assert "it has none" in str(refused(tmp_path, ""))


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "has several columns dx" in str(
        refused(tmp_path, "image_id,lesion_id,dx,DX\na,L,nv,mel")
    )


def test_a_short_row_has_empty_cells(tmp_path: Path) -> None:
    first, second = rows(tmp_path, HEADER + "a\nb,L,nv,1,male\n")
    assert first == RawRow(line=2, image_id="a", lesion_id="", dx="")
    assert second.sex == "male"


def test_what_stands_beyond_the_last_column_is_kept_in_sight(tmp_path: Path) -> None:
    slipped, padded = rows(tmp_path, HEADER + "a,L, left,nv,5,male\nb,L,nv,5,male,, ,\n")
    assert slipped.surplus == "male"
    assert padded.surplus == ""


def test_lines_are_counted_over_quoted_line_breaks_and_gaps(tmp_path: Path) -> None:
    text = HEADER + 'a,L,nv,1,"fe\nmale\r\n"\n\n,,,,\nb,"L\n1",nv,2,x\nc,L,nv,3,x'
    found = rows(tmp_path, text)
    assert [(row.line, row.image_id) for row in found] == [(2, "a"), (7, "b"), (9, "c")]
    assert found[1].lesion_id == "L\n1"


def test_separators_within_quotes_separate_nothing(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, HEADER + '"a", "L, 1", "nv", 5, "x ""y"""\n')
    assert (row.lesion_id, row.dx, row.sex) == ("L, 1", "nv", 'x "y"')


def test_a_quotation_mark_that_never_closes_swallows_nothing(tmp_path: Path) -> None:
    error = refused(tmp_path, HEADER + 'a,L,nv,1,x\nb,"L,nv,1,x\nc,L,nv,1,x\n')
    assert "line 3 is not CSV" in error.message
    assert "quotation marks" in error.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((HEADER + "a,L,nv,,\nb,Lä,nv,,\n").encode("latin-1"), "line 3 is not UTF-8 text"),
        ((HEADER + "a,L,nv,,\n").encode("utf-16-le"), "is not UTF-8 text"),
        ((HEADER + "a,L,nv,,\n").encode("utf-16")[:-1], "is not UTF-8 text"),
        (HEADER.encode("utf-32"), "is not UTF-8 text"),
        (jpeg(0), "line 1 is not UTF-8 text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    error = refused(tmp_path, content)
    assert message in error.message
    assert error.hint == "save it as UTF-8"


def test_a_table_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"metadata `.*gone\.csv` cannot be read: No such file"):
        list(csv_rows(tmp_path / "gone.csv", ColumnsConfig()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", "a"), ("a.jpg", "a"), ("A.1.JPEG", "A.1"), ("a.1", "a.1"), ("sub/a.png", "a"),
        ("C:\\sub\\a.dcm", "a"), ("", ""), (".jpg", ".jpg"), ("sub/", "sub"),
    ],
)  # fmt: skip
def test_image_ids_come_with_or_without_folder_and_suffix(name: str, expected: str) -> None:
    assert image_id_of(name) == expected


def test_folders_name_the_class_of_every_image_below_them(tmp_path: Path) -> None:
    names = ("mel/b.jpg", "mel/2024/a.PNG", "nv/c.jpg", "top.jpg", "nv/notes.txt", "nv/._c.jpg")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(0))
    found = {(row.image_id, row.lesion_id, row.dx) for row in class_folder_rows(tmp_path)}
    assert found == {
        ("mel/b", "mel/b", "mel"), ("mel/2024/a", "mel/2024/a", "mel"), ("nv/c", "nv/c", "nv"),
    }  # fmt: skip


def test_linked_class_folders_are_entered_once(tmp_path: Path) -> None:
    outside, images = tmp_path / "archive", tmp_path / "images"
    for folder in (outside, images / "nv"):
        folder.mkdir(parents=True)
    (outside / "a.jpg").write_bytes(jpeg(0))
    (images / "mel").symlink_to(outside)
    (images / "nv" / "loop").symlink_to(images)
    assert [(row.image_id, row.dx) for row in class_folder_rows(images)] == [("mel/a", "mel")]


def test_class_folders_without_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "nv").mkdir()
    (tmp_path / "a.jpg").write_bytes(jpeg(0))
    with pytest.raises(DataError, match=r"subfolders of .* hold no images") as caught:
        list(class_folder_rows(tmp_path))
    assert "data.folder.metadata=FILE.csv" in caught.value.hint

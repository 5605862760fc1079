"""The rows of a data set as they are written: a CSV, one folder per class, or an npz's labels.

All come out as `RawRow`s: text, trimmed, under our own names, not checked yet.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from skincli.config.data import ColumnsConfig
from skincli.data.reading.files import class_folder_files, image_id_of
from skincli.errors import DataError

_REQUIRED: Final = ("image_id", "lesion_id", "dx")
_DELIMITERS: Final = ",;\t|"
_ENCODINGS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row, as text. `line` is the line of the CSV that it begins in, 0 where there is none.

    `part` is the part that the publisher gave it, empty where there is none. `surplus` is what
    stands beyond the last column: the cells before it may have slipped.
    """

    line: int
    image_id: str
    lesion_id: str
    dx: str
    dx_type: str = ""
    age: str = ""
    sex: str = ""
    localization: str = ""
    dataset: str = ""
    part: str = ""
    surplus: str = ""


def csv_rows(path: Path, columns: ColumnsConfig) -> Iterator[RawRow]:
    """The rows of a CSV: UTF-8 or UTF-16, separated by comma, semicolon, tab or bar.

    Column names are compared without case. A short row's missing cells are empty; rows without any
    text are skipped. Raises DataError for a file that cannot be read so.
    """
    text = _text(path)
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=_delimiter(text),
        skipinitialspace=True,
        strict=True,
    )
    line = 1
    try:
        header = next(lines, [])
        places = _places(path, header, columns)
        line = lines.line_num + 1
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield _row(line, cells, places, len(header))
            line = lines.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"`{path}` line {line} is not CSV: {error}", "look at its quotation marks"
        ) from None


def class_folder_rows(folder: Path) -> Iterator[RawRow]:
    """A row for every image in the subfolders of `folder`, which are named after the classes.

    Nothing tells which images show the same lesion: every image is a lesion of its own. Raises
    DataError when there is none.
    """
    image_ids = [image_id for image_id, _ in class_folder_files(folder)]
    if not image_ids:
        raise DataError(
            f"the subfolders of `{folder}` hold no images",
            "name them after the diagnoses, or set data.folder.metadata=FILE.csv",
        )
    for image_id in image_ids:
        yield RawRow(line=0, image_id=image_id, lesion_id=image_id, dx=image_id.partition("/")[0])


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"the metadata `{path}` cannot be read: {error.strerror}") from None
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"`{path}` line {line} is not UTF-8 text", "save it as UTF-8") from None
    if "\0" in text:
        raise DataError(f"`{path}` is not UTF-8 text", "save it as UTF-8")
    return text


def _delimiter(text: str) -> str:
    """The separator that the header holds most often."""
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max(_DELIMITERS, key=header.count)


def _places(path: Path, written: Sequence[str], columns: ColumnsConfig) -> Mapping[str, int]:
    """Where each of our columns stands. Raises DataError when one is absent that must not be."""
    names = [_plain(column) for column in written]
    wanted: dict[str, str] = asdict(columns)
    found = {key: column for key, column in wanted.items() if _plain(column) in names}
    missing = [wanted[key] for key in _REQUIRED if key not in found]
    if missing:
        raise DataError(
            f"`{path}` lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has {', '.join(written) or 'none'}",
            "name your columns with data.folder.columns.image_id=…, .lesion_id=… and .dx=…",
        )
    twice = next((column for column in found.values() if names.count(_plain(column)) > 1), None)
    if twice:
        raise DataError(f"`{path}` has several columns {twice}", "rename all but one of them")
    return {key: names.index(_plain(column)) for key, column in found.items()}


def _plain(column: str) -> str:
    return column.strip().casefold()


def _row(line: int, cells: Sequence[str], places: Mapping[str, int], width: int) -> RawRow:
    values = [cell.strip() for cell in cells] + [""] * (width - len(cells))
    named = {name: values[place] for name, place in places.items()}
    named["image_id"] = image_id_of(named["image_id"])
    return RawRow(line=line, **named, surplus=" ".join(filter(None, values[width:])))

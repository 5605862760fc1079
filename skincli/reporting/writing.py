"""The folder that a report leaves: one Markdown file, the same facts as JSON, pictures."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from skincli.errors import SkincliError, UsageError
from skincli.reporting.collecting import PICTURES
from skincli.reporting.facts import Facts
from skincli.reporting.markdown import Written
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.writing import replaced_folder

REPORT_FILE: Final = "report.md"
FACTS_FILE: Final = "report.json"
SCHEMA_VERSION: Final = 1


def require_replaceable(folder: Path) -> None:
    """Raises UsageError for what is there already and is no report."""
    if not folder.exists():
        return
    ours = {REPORT_FILE, FACTS_FILE, *PICTURES, RunFolder(folder).curves.name}
    if not folder.is_dir() or any(each.name not in ours for each in folder.iterdir()):
        raise UsageError(
            f"`{folder}` is there already, and is no report",
            "name another folder with `--output`: a report takes the place of a whole folder",
        )


def write_report(folder: Path, facts: Facts, written: Written, pictures: Sequence[Path]) -> None:
    """Write the folder, in the place of an earlier report; it gets its name when it is whole.

    Raises SkincliError when it cannot be written.
    """
    try:
        with replaced_folder(folder.resolve()) as fresh:
            _write_files(fresh, facts, written, pictures)
    except OSError as error:
        raise SkincliError(
            f"`{folder}` cannot be written: {error.strerror or error}",
            "name another folder with `--output`",
        ) from None


def _write_files(folder: Path, facts: Facts, written: Written, pictures: Sequence[Path]) -> None:
    (folder / REPORT_FILE).write_text(written.text, encoding="utf-8")
    content = json.dumps(_content(facts, written), indent=1, allow_nan=False)
    (folder / FACTS_FILE).write_text(content + "\n", encoding="utf-8")
    for picture in pictures:
        shutil.copyfile(picture, folder / picture.name)


def _content(facts: Facts, written: Written) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "met": facts.standing.verdict.met,
        "left_out": written.left_out,
        **asdict(facts),
    }

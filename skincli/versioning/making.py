"""The verb `version`: what is there becomes a version that can be pushed, pulled and restored."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.data import prepare
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.versioning.history import require_history
from skincli.versioning.placed import note_placed
from skincli.versioning.pointers import Marks, Pinned, mark
from skincli.versioning.recording import LOCK_FILE, marks_of, read_pointers
from skincli.versioning.stages import PARAMS_FILE, PREPARE, STAGES_FILE, write_pipeline
from skincli.versioning.workspace import Workspace

# What skincli keeps beside the raw set, all of which is made anew or versioned by DVC.
_IGNORED: Final = (
    *("/raw", "/inspected", "/prepared", "/splits", "/unpacked"),
    *("/.lock", "/stamps.json", "/rejected.csv", "/report.html", "*.partial"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionResult:
    """`changed` is False where the version was there already; `commit` is None unless asked for.

    `staged` are the files that git was given, by their paths in the repository.
    """

    raw: tuple[Pinned, ...]
    n_images: int
    changed: bool
    staged: tuple[str, ...]
    commit: str | None


def version(config: Config, message: str | None, progress: Progress) -> VersionResult:
    """Prepare the set, and give the raw and the packed one to DVC and their pointers to git.

    With `message` they are committed, and nothing else is. Raises UsageError where there is no
    repository or DVC, or where git has the data already; DataError as `prepare` does.
    """
    workspace = Workspace.of(config)
    tracked = workspace.tracked
    _require_free(workspace)
    require_history(workspace)
    prepared = prepare(config, progress).prepared
    with tracked.folder.locked(progress):
        workspace.make_ready()
        before = _texts(workspace)
        _write_ignored(workspace)
        _write_left_out(workspace)
        write_pipeline(config, tracked, prepared.folder.name)
        marks = marks_of(prepared)
        if not _is_current(workspace, marks):
            _add(workspace, marks, progress)
        note_placed(workspace)
        after = _texts(workspace)
    files = list(after)
    workspace.repository.stage(files)
    news = workspace.repository.changed(files)
    commit = workspace.repository.commit(files, message) if message and news else None
    return VersionResult(
        raw=tuple(pointer.pinned for pointer in read_pointers(tracked)),
        n_images=len(prepared.samples),
        changed=before != after,
        staged=tuple(news),
        commit=commit,
    )


def _require_free(workspace: Workspace) -> None:
    """Raises UsageError where git keeps the data, or would not keep their pointers."""
    for path in (*workspace.tracked.raw, *workspace.tracked.made):
        if workspace.repository.tracks(path):
            raise UsageError(
                f"git keeps `{path}`, which DVC is to keep",
                f"`git rm -r --cached {workspace.tracked.relative(path)}` lets go of it",
            )
    for file in workspace.pointer_files:
        if workspace.repository.ignores(file):
            raise UsageError(
                f"git ignores `{file}`, which it has to keep",
                "see `git check-ignore -v`; `/data/**`, `!/data/**/` and `!/data/**/*.dvc` in "
                ".gitignore leave the pointers out",
            )


def _write_ignored(workspace: Workspace) -> None:
    """Keep git from looking at data, unless it was told so elsewhere."""
    folder = workspace.tracked.folder
    if workspace.repository.ignores(folder.stamps):
        return
    _add_lines(folder.path / ".gitignore", _IGNORED)


def _write_left_out(workspace: Workspace) -> None:
    """Leave out of the packs what tells of the settings and the machine of the last `prepare`."""
    packs = os.path.relpath(workspace.tracked.folder.prepared, workspace.top)
    _add_lines(workspace.top / ".dvcignore", [f"/{packs}/*/manifest.json"])


def _add_lines(file: Path, lines: Sequence[str]) -> None:
    there = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    missing = [line for line in lines if line not in there]
    if missing:
        text = "".join(f"{line}\n" for line in (*there, *missing))
        file.write_text(text, encoding="utf-8")


def _is_current(workspace: Workspace, marks: Marks) -> bool:
    """Whether the pointers are those of the data at hand."""
    pointers = read_pointers(workspace.tracked)
    if not pointers or pointers[0].marks != marks:
        return False
    names = [workspace.tracked.relative(pointer.file) for pointer in pointers]
    return not json.loads(workspace.dvc.run("status", "--json", PREPARE, *names))


def _add(workspace: Workspace, marks: Marks, progress: Progress) -> None:
    """Hash and keep the data. What DVC has seen before it does not hash again."""
    raw = [workspace.tracked.relative(path) for path in workspace.tracked.raw]
    with progress.step("Hashing and keeping the data", 2) as step:
        workspace.dvc.run("add", *raw)
        mark(workspace.pointer_files[0], marks)
        step.advance()
        workspace.dvc.run("commit", "--force", PREPARE)
        step.advance()


def _texts(workspace: Workspace) -> dict[Path, str]:
    """The files of a version that git is to keep, those that are there."""
    here = workspace.tracked.here
    files: Sequence[Path] = (
        *workspace.config_files,
        *workspace.pointer_files,
        *(path.parent / ".gitignore" for path in workspace.tracked.raw),
        workspace.tracked.folder.path / ".gitignore",
        *(here / name for name in (STAGES_FILE, PARAMS_FILE, LOCK_FILE)),
    )
    there = [file for file in dict.fromkeys(files) if file.is_file()]
    return {
        file: file.read_text(encoding="utf-8")
        for file in there
        if not workspace.repository.ignores(file)
    }

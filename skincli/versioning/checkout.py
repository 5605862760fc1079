"""The verb `checkout`: the data that a run was trained on, as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.progress import Progress
from skincli.versioning.placing import bring_and_place, settle
from skincli.versioning.pointers import (
    Marks,
    Pinned,
    Pointer,
    pointer_file,
    read_pointer,
    read_yaml,
    write_pointer,
    write_yaml,
)
from skincli.versioning.recording import (
    LOCK_FILE,
    RECORD_KEY,
    DataVersion,
    from_record,
    read_pointers,
)
from skincli.versioning.run_records import RunRecord, run_record
from skincli.versioning.stages import (
    PARAMS_FILE,
    PREPARE,
    STAGES_FILE,
    write_pipeline,
    write_stages,
)
from skincli.versioning.workspace import Workspace

_MAKE_ONE: Final = "`skincli data version` before a training makes one"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutResult:
    """`folder` is the run's, None where only the store has it. `fetched` counts the objects that
    came from the remote.

    `packed` is False where the run's set was prepared otherwise than the version was, so that
    `prepare` has to make it anew.
    """

    run_id: str
    folder: Path | None
    raw: tuple[Pinned, ...]
    fetched: int
    packed: bool


def checkout(
    config: Config, run: str, progress: Progress, *, force: bool = False
) -> CheckoutResult:
    """Put a run's raw set in place and what was prepared of it, out of the cache or the remote.

    The pointers then name that version, whether git ever had it or not. Raises UsageError where
    the run was not trained on a version, or where a version or changes of the data at hand would
    be lost, unless `force`; otherwise as `pull` does.
    """
    record = run_record(config, run)
    run_id, version = record.run_id, _version_of(record)
    workspace = Workspace.of(config)
    _require_same_set(workspace, run_id, version)
    if not workspace.is_ready:
        raise UsageError(
            f"DVC keeps nothing in `{workspace.repository.root}`",
            "work in the repository, or a clone of it, that the run's data were versioned in",
        )
    with workspace.tracked.folder.locked(progress):
        if not force:
            _require_kept(workspace, version)
        with _pointing_to(config, workspace, version):
            fetched = bring_and_place(workspace, workspace.settings(), progress, force=force)
    settle(config, workspace.tracked, progress)
    return CheckoutResult(
        run_id=run_id,
        folder=record.folder,
        raw=version.raw,
        fetched=fetched,
        packed=version.packed,
    )


def _version_of(run: RunRecord) -> DataVersion:
    run_id, record = run.run_id, run.environment.get(RECORD_KEY)
    if record is None:
        raise UsageError(f"run `{run_id}` was trained on data that had no version", _MAKE_ONE)
    try:
        version = from_record(record)
    except (KeyError, TypeError) as error:
        raise UsageError(f"run `{run_id}` has a damaged record of its data: {error}") from None
    if version.modified:
        raise UsageError(
            f"run `{run_id}` was trained on data that had changed since version "
            f"{version.name.removesuffix('-dirty')} and are in none",
            _MAKE_ONE,
        )
    return version


def _require_same_set(workspace: Workspace, run_id: str, version: DataVersion) -> None:
    here = [pointer_file(path).name for path in workspace.tracked.raw]
    there = [f"{part.path}.dvc" for part in version.raw]
    name = workspace.tracked.folder.path.name
    if version.data != name or here != there:
        raise UsageError(
            f"run `{run_id}` was trained on `{version.data}`, the settings are about `{name}`",
            "give the settings of its data, such as data=NAME; its config.yaml has them",
        )


def _require_kept(workspace: Workspace, version: DataVersion) -> None:
    """Raises UsageError where the data at hand, or their version, are kept nowhere else."""
    pointers, tracked = read_pointers(workspace.tracked), workspace.tracked
    if not pointers:
        there = [path for path in tracked.raw if path.exists()]
        if there:
            raise UsageError(
                f"`{there[0]}` has no version and would be lost",
                "`skincli data version` makes it one; `--force` gives it up",
            )
        return
    for pointer, wanted in zip(pointers, version.raw, strict=True):
        if pointer.pinned != wanted and not workspace.repository.had(
            pointer.file, pointer.pinned.md5
        ):
            raise UsageError(
                f"git has never had the present version, {pointer.pinned.md5}",
                "`git commit` keeps its pointers; `--force` gives them up",
            )


@contextmanager
def _pointing_to(config: Config, workspace: Workspace, version: DataVersion) -> Iterator[None]:
    """The pointers name another version; those of before come back if the body fails."""
    tracked = workspace.tracked
    lock, stages = tracked.here / LOCK_FILE, tracked.here / STAGES_FILE
    files = [*workspace.pointer_files, lock, stages, tracked.here / PARAMS_FILE]
    before = {file: file.read_bytes() if file.is_file() else None for file in files}
    try:
        for index, part in enumerate(version.raw):
            pointer = Pointer(files[index], part, version.marks if index == 0 else Marks())
            if read_pointer(tracked.raw[index]) != pointer:
                write_pointer(pointer)
        if version.prepare:
            write = write_stages if PREPARE in _stages(stages) else write_pipeline
            write(config, tracked, version.marks.pack)
            there, locked = read_yaml(lock), _stages(lock)
            if locked.get(PREPARE) != version.prepare:
                entries = {**locked, PREPARE: version.prepare}
                write_yaml(lock, {"schema": "2.0", **there, "stages": entries})
        yield
    except BaseException:
        for file, content in before.items():
            file.unlink(missing_ok=True) if content is None else file.write_bytes(content)
        raise


def _stages(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(file).get("stages") or {}
    return found

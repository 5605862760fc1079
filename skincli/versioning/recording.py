"""The data version that a run is trained on, told from the pointers alone: DVC is not asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from skincli.config.data import DataConfig
from skincli.data import PreparedSet, Sample
from skincli.data.fingerprints import digest_of
from skincli.errors import SkincliError
from skincli.tracking.stored_runs import DATA_VERSION_TAG
from skincli.versioning.pointers import (
    Marks,
    Pinned,
    Pointer,
    read_pointer,
    read_yaml,
)
from skincli.versioning.repository import Repository
from skincli.versioning.stages import PREPARE
from skincli.versioning.tracked import Tracked

LOCK_FILE: Final = "dvc.lock"
RECORD_KEY: Final = "data_version"
# All but the part, which is dealt.
_READ: Final = tuple(field.name for field in fields(Sample) if field.name != "part")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataVersion:
    """What git and DVC keep of the data that a run is trained on.

    `data` is the name of the set, `raw` are its pointers. `prepare` is the stage of that name in
    `dvc.lock`, which has the splits, empty where the run's set was split otherwise; `packed` says
    whether it has the run's pack too, which may be of another size. `modified` says that the data
    at hand are others than the version's, `committed` that the last commit has the version.
    """

    data: str
    raw: tuple[Pinned, ...]
    marks: Marks
    prepare: dict[str, Any]
    packed: bool
    modified: bool
    committed: bool

    @property
    def name(self) -> str:
        """What the version is called: the MD5 of its raw set, as DVC has it."""
        md5 = "+".join(part.md5.removesuffix(".dir") for part in self.raw)
        return f"{md5}-dirty" if self.modified else md5


def data_version(data: DataConfig, prepared: PreparedSet) -> DataVersion | None:
    """The version of a prepared set, None where its raw set has no pointer. Takes milliseconds.

    A version is never claimed for other images or labels than it holds: see `modified`. Raises
    DataError for a pointer that is damaged.
    """
    tracked = Tracked.of(data)
    pointers = read_pointers(tracked)
    if not pointers:
        return None
    known, ours = pointers[0].marks, marks_of(prepared)
    stage = locked_stage(tracked, pointers) if ours.split == known.split else {}
    return DataVersion(
        data=data.set_name,
        raw=tuple(pointer.pinned for pointer in pointers),
        marks=known,
        prepare=stage,
        packed=bool(stage) and ours.pack == known.pack,
        modified=ours.contents != known.contents,
        committed=_are_committed(tracked, pointers),
    )


def marks_of(prepared: PreparedSet) -> Marks:
    """What stands for a prepared set, and for all that was read out of its raw set."""
    cells = [[getattr(sample, name) for name in _READ] for sample in prepared.samples]
    manifest = prepared.manifest
    return Marks(digest_of(cells), prepared.folder.name, manifest.split_fingerprint)


def read_pointers(tracked: Tracked) -> tuple[Pointer, ...]:
    """The pointers to the raw set, none unless all are there. Raises DataError."""
    found = [read_pointer(path) for path in tracked.raw]
    return tuple(pointer for pointer in found if pointer) if all(found) else ()


def locked_stage(tracked: Tracked, pointers: Sequence[Pointer]) -> dict[str, Any]:
    """The stage `prepare` of `dvc.lock` if it was made of these raw data, else nothing."""
    stages = read_yaml(tracked.here / LOCK_FILE).get("stages") or {}
    stage: dict[str, Any] = stages.get(PREPARE) or {}
    made_of = {(dep["path"], dep.get("md5")) for dep in stage.get("deps", ())}
    wanted = {
        (tracked.relative(path), pointer.pinned.md5)
        for path, pointer in zip(tracked.raw, pointers, strict=True)
    }
    return stage if wanted <= made_of else {}


def to_record(version: DataVersion | None) -> dict[str, Any]:
    """The version as it is kept with a run's environment; nothing for none."""
    return {RECORD_KEY: {"name": version.name, **asdict(version)}} if version else {}


def to_tags(version: DataVersion | None) -> dict[str, str]:
    """The version as the store shows it; nothing for none."""
    return {DATA_VERSION_TAG: version.name} if version else {}


def from_record(record: Mapping[str, Any]) -> DataVersion:
    """What `to_record` has kept. Raises KeyError or TypeError for anything else."""
    return DataVersion(
        data=str(record["data"]),
        raw=tuple(Pinned(**part) for part in record["raw"]),
        marks=Marks(**record["marks"]),
        prepare=dict(record["prepare"]),
        packed=bool(record["packed"]),
        modified=bool(record["modified"]),
        committed=bool(record["committed"]),
    )


def _are_committed(tracked: Tracked, pointers: Sequence[Pointer]) -> bool:
    files = [*(pointer.file for pointer in pointers), tracked.here / LOCK_FILE]
    try:
        repository = Repository.around(tracked.here)
        return all(map(repository.tracks, files)) and not repository.changed(files)
    except SkincliError:
        return False  # no repository, or none that git can read

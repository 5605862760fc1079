"""The verb `fetch`: bring a data set's raw files under `data.root`, or draw them."""

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from skincli.bundle import file_sha256
from skincli.config.data import DataConfig
from skincli.config.schema import Config
from skincli.data.fingerprints import Stamps, digest_of
from skincli.data.raw import (
    RawFile,
    SourceRecord,
    hashes_of,
    raw_files,
    read_record,
    serves,
    settings_of,
    write_record,
)
from skincli.data.records import FetchResult
from skincli.data.storage import SetFolder, put_in_place
from skincli.errors import ConfigError
from skincli.progress import Progress

if TYPE_CHECKING:
    from skincli.data.sources.base import Source

_MIRRORED: Final = ("ham10000", "isic2018", "dermamnist")


def fetch(config: Config, progress: Progress) -> FetchResult:
    """Fetch the configured data set; nothing when it is there already and unchanged.

    Raises ConfigError and DataError when the source is not set, cannot be used or is not what it
    should be, and SkincliError when a download fails: the same command then goes on where it
    stopped.
    """
    from skincli.data.sources import SOURCES  # brings httpx along, which not every command needs

    data = config.data
    _require_meaning(data)
    wanted = [data]
    if "isic2018-test" in data.include:
        wanted.append(replace(data, source="isic2018", name=None, include=[]))
    result, *included = (
        _Fetch(each, SetFolder.of(each), SOURCES[each.source]).run(progress) for each in wanted
    )
    return replace(result, included=tuple(included))


def _require_meaning(data: DataConfig) -> None:
    if data.mirror is not None and data.source not in _MIRRORED:
        raise ConfigError(
            f"data.mirror has no meaning with data={data.source}",
            f"leave it out: a mirror holds published files ({', '.join(_MIRRORED)})",
        )
    if data.include and data.source != "ham10000":
        raise ConfigError(
            f"data.include={data.include[0]} has no meaning with data={data.source}",
            "leave it out: it belongs to data=ham10000",
        )


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One data set that is to be in its folder."""

    data: DataConfig
    folder: SetFolder
    source: "Source"

    def run(self, progress: Progress) -> FetchResult:
        with self.folder.locked(progress):
            record = read_record(self.folder.raw)
            if record is not None and self._is_current(record):
                return self._result(record, created=False)
            return self._result(self._bring(record, progress), created=True)

    def _is_current(self, record: SourceRecord) -> bool:
        """Whether a fetch would bring what is there. Without a mirror, any mirror's is."""
        if not serves(record, self.data):
            return False
        if self.data.mirror is not None and record.origin != self.source.origin(self.data):
            return False
        stamps = Stamps(self.folder.stamps)
        hashes = hashes_of(self.folder.raw, record)
        return all(path.is_file() and stamps.sha256(path) == sha for path, sha in hashes.items())

    def _bring(self, before: SourceRecord | None, progress: Progress) -> SourceRecord:
        from skincli.data.download.partial import remove_strays

        decides = [self.data.source, settings_of(self.data), self.source.origin(self.data)]
        staging = self.folder.path / f"raw-{digest_of(decides)[:12]}.partial"
        staging.mkdir(exist_ok=True)
        if before is not None:
            self._keep(before, staging)
        verified = self.source.fill(staging, self.data, progress)
        remove_strays(staging)
        record = self._record(staging, verified)
        write_record(staging, record)
        put_in_place(staging, self.folder.raw)
        for leftover in self.folder.path.glob("raw-*.partial"):
            shutil.rmtree(leftover)
        self._stamp(record)
        return record

    def _keep(self, before: SourceRecord, staging: Path) -> None:
        """Take over what an earlier fetch brought from the same place and nobody has changed."""
        if (before.source, before.origin) != (self.data.source, self.source.origin(self.data)):
            return
        stamps = Stamps(self.folder.stamps)
        for path, sha256 in hashes_of(self.folder.raw, before).items():
            name = path.relative_to(self.folder.raw)
            target = staging / name
            if target.exists() or not self.source.may_keep(name.as_posix(), self.data):
                continue
            # What is gone or cannot be taken over is fetched again.
            with suppress(OSError):
                if stamps.sha256(path) == sha256:
                    target.parent.mkdir(exist_ok=True)
                    _take_over(path, target)

    def _record(self, staging: Path, verified: bool) -> SourceRecord:
        facts = ((path, path.stat().st_size) for path in raw_files(staging))
        return SourceRecord(
            source=self.data.source,
            origin=self.source.origin(self.data),
            licence=self.source.licence(staging, self.data),
            synthetic=self.data.source == "synthetic",
            verified=verified,
            settings=settings_of(self.data),
            files={path.name: RawFile(size, file_sha256(path)) for path, size in facts},
        )

    def _stamp(self, record: SourceRecord) -> None:
        stamps = Stamps(self.folder.stamps)
        for path in hashes_of(self.folder.raw, record):
            stamps.sha256(path)
        stamps.save()

    def _result(self, record: SourceRecord, *, created: bool) -> FetchResult:
        sizes = [path.stat().st_size for path in hashes_of(self.folder.raw, record)]
        return FetchResult(
            folder=self.folder.raw,
            source=record.source,
            n_images=self.source.count_images(self.folder.raw, self.data),
            n_files=len(sizes),
            bytes=sum(sizes),
            verified=record.verified,
            created=created,
        )


def _take_over(path: Path, target: Path) -> None:
    """Give a file a second name; copy one that is a link to another disk, such as DVC's cache."""
    try:
        target.hardlink_to(path.resolve())
    except OSError:
        partial = target.with_name(f"{target.name}.partial")
        shutil.copyfile(path, partial)
        partial.replace(target)

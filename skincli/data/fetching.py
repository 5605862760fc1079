"""The verb `fetch`: bring a data set's raw files under `data.root`, or draw them."""

import csv
import shutil
from pathlib import Path
from typing import Final

from skincli.bundle import file_sha256
from skincli.config.data import DataConfig
from skincli.config.schema import Config
from skincli.config.secrets import mask
from skincli.data.fingerprints import Stamps, digest_of
from skincli.data.raw import (
    FILES,
    METADATA,
    RawFile,
    SourceRecord,
    folder_paths,
    read_record,
    settings_of,
    write_record,
)
from skincli.data.records import FetchResult
from skincli.data.storage import SetFolder, put_in_place
from skincli.errors import DataError
from skincli.progress import Progress

_LICENCE: Final = "CC BY-NC 4.0"
_PUBLISHED_METADATA_MD5: Final = "8f85fb1aa29d80a2797247e434deb79d"


def fetch(config: Config, progress: Progress) -> FetchResult:
    """Fetch the configured data set; nothing when it is there already and unchanged.

    Raises DataError when the source is not set, cannot be used or is not what it should be, and
    SkincliError when a download fails: the same command then goes on where it stopped.
    """
    data = config.data
    folder = SetFolder.of(data)
    with folder.locked(progress):
        record = read_record(folder.raw)
        if record is not None and _is_current(record, data, folder):
            return _result(record, folder, created=False)
        decides = [data.source, settings_of(data), _origin(data)]
        staging = folder.path / f"raw-{digest_of(decides)[:12]}.partial"
        staging.mkdir(exist_ok=True)
        verified = _fill(staging, data, progress)
        record = _record(data, staging, verified)
        write_record(staging, record)
        put_in_place(staging, folder.raw)
        for leftover in folder.path.glob("raw-*.partial"):
            shutil.rmtree(leftover)
        _stamp(record, folder)
        return _result(record, folder, created=True)


def _is_current(record: SourceRecord, data: DataConfig, folder: SetFolder) -> bool:
    """Whether what is there is what a fetch would bring. Without a mirror, any mirror's is."""
    if record.source != data.source or record.settings != settings_of(data):
        return False
    if data.mirror is not None and record.origin != _origin(data):
        return False
    stamps = Stamps(folder.stamps)
    paths = {folder.raw / name: fact.sha256 for name, fact in record.files.items()}
    return all(path.is_file() and stamps.sha256(path) == sha for path, sha in paths.items())


def _origin(data: DataConfig) -> str:
    """Where the data come from, fit to be shown: the drawing, the folder or the mirror."""
    if data.source == "synthetic":
        return f"drawn by skincli (seed {data.synthetic.seed})"
    if data.source == "folder":
        return str(folder_paths(data)[0])
    if data.mirror is None:
        raise DataError(
            "data.mirror is not set, and downloading from Dataverse itself comes later",
            "set data.mirror=URL-or-folder with the published archives and CSV, or try "
            "data=synthetic",
        )
    is_url = data.mirror.startswith(("http://", "https://"))
    return str(mask(data.mirror)) if is_url else str(Path(data.mirror).absolute())


def _fill(staging: Path, data: DataConfig, progress: Progress) -> bool:
    """Put the raw files into `staging`; whether they were checked against known hashes."""
    if data.source == "ham10000" and data.mirror is not None:
        return _copy_published(staging, data.mirror, progress)
    if data.source == "synthetic":
        from skincli.data.synthetic.draw import draw_set

        draw_set(staging, data.synthetic, progress)
        return True
    return False  # a folder's images stay where they are


def _copy_published(staging: Path, address: str, progress: Progress) -> bool:
    from skincli.data.download import download, md5_of, read_checksums
    from skincli.data.mirror import open_mirror

    with open_mirror(address) as mirror:
        checksums = read_checksums(mirror)
        download(mirror, FILES, staging, checksums, progress)
    verified = all(name in checksums for name in FILES)
    if not verified:
        progress.warn("unverified mirror: it has no MD5SUMS that covers the archives and the CSV")
    if md5_of(staging / METADATA) != _PUBLISHED_METADATA_MD5:
        progress.warn(f"{METADATA} is not the published file: its MD5 differs")
    return verified


def _record(data: DataConfig, staging: Path, verified: bool) -> SourceRecord:
    licences = {"synthetic": "synthetic", "folder": data.folder.licence, "ham10000": _LICENCE}
    paths = [staging / name for name in FILES if (staging / name).is_file()]
    return SourceRecord(
        source=data.source,
        origin=_origin(data),
        licence=licences[data.source],
        synthetic=data.source == "synthetic",
        verified=verified,
        settings=settings_of(data),
        files={path.name: RawFile(path.stat().st_size, file_sha256(path)) for path in paths},
    )


def _stamp(record: SourceRecord, folder: SetFolder) -> None:
    stamps = Stamps(folder.stamps)
    for name in record.files:
        stamps.sha256(folder.raw / name)
    stamps.save()


def _result(record: SourceRecord, folder: SetFolder, *, created: bool) -> FetchResult:
    metadata = Path(record.settings.get("metadata", folder.raw / METADATA))
    with metadata.open(encoding="utf-8", errors="replace", newline="") as stream:
        n_images = sum(1 for row in csv.reader(stream) if row) - 1  # all but the header
    return FetchResult(
        folder=folder.raw,
        source=record.source,
        n_images=max(n_images, 0),
        n_files=len(record.files),
        bytes=sum(fact.bytes for fact in record.files.values()),
        verified=record.verified,
        created=created,
    )

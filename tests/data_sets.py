"""Changing a fetched set of drawn lesions as a new version of it would."""

import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path

from skincli.config.schema import Config
from skincli.data.raw import ARCHIVES, METADATA, RawFile, read_record, write_record
from skincli.data.splitting.stored import split_key
from skincli.data.storage import SetFolder


def raw_of(config: Config) -> Path:
    return SetFolder.of(config.data).raw


def split_folder(config: Config, version: int) -> Path:
    return SetFolder.of(config.data).splits / split_key(config.data) / f"v{version}"


def refresh_record(config: Config) -> None:
    """The record of a fetch that would have brought what is there now."""
    raw = raw_of(config)
    record = read_record(raw)
    assert record is not None
    files = {name: RawFile((raw / name).stat().st_size, "") for name in record.files}
    write_record(raw, dataclasses.replace(record, files=files))


def edit_metadata(config: Config, change: Callable[[list[str]], list[str]]) -> None:
    path = raw_of(config) / METADATA
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *change(rows)]) + "\n")
    refresh_record(config)


def keep_rows(config: Config, share: float) -> None:
    """Every so many-th row, so that lesions lose some of their images and some go altogether."""
    edit_metadata(
        config, lambda rows: [row for n, row in enumerate(rows) if (n * share) % 1 < share]
    )


def rewrite_archive(config: Config, change: Callable[[str, bytes], bytes | None]) -> None:
    """Pass every image of the first archive through `change`; None leaves it out."""
    path = raw_of(config) / ARCHIVES[0]
    with zipfile.ZipFile(path) as archive:
        images = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in images.items():
            if data is not None:
                archive.writestr(name, data)
    refresh_record(config)


def add_image(
    config: Config, archive: Path, image_id: str, lesion_id: str, dx: str, data: bytes
) -> None:
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr(f"{image_id}.jpg", data)
    edit_metadata(
        config, lambda rows: [*rows, f"{lesion_id},{image_id},{dx},histo,50,male,back,synthetic"]
    )

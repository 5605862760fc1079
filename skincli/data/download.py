"""Files from a mirror into a folder: resumed, checked, and only then given their names."""

import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from skincli.data.mirror import CHUNK, Mirror
from skincli.data.raw import ARCHIVES
from skincli.data.storage import require_space
from skincli.errors import DataError
from skincli.progress import Progress, Step

CHECKSUMS: Final = "MD5SUMS"
_CHECKSUM_LINE: Final = re.compile(r"^([0-9a-fA-F]{32})\s+\*?(?:\./)?(\S.*)$")


def read_checksums(mirror: Mirror) -> dict[str, str]:
    """MD5 by file name from the mirror's `MD5SUMS`; empty where it has none."""
    text = mirror.text(CHECKSUMS) or ""
    matches = (_CHECKSUM_LINE.match(line.strip()) for line in text.splitlines())
    return {match[2].strip(): match[1].lower() for match in matches if match}


def download(
    mirror: Mirror,
    names: Sequence[str],
    folder: Path,
    checksums: Mapping[str, str],
    progress: Progress,
) -> None:
    """Bring files into `folder`; those already there under their final names were checked before.

    Raises DataError when a file is absent, damaged or differs from its checksum.
    """
    wanted = [name for name in names if not (folder / name).is_file()]
    sizes = {name: mirror.size(name) for name in wanted}
    present = sum(path.stat().st_size for path in folder.glob("*.partial"))
    require_space(folder, sum(size or 0 for size in sizes.values()) - present)
    for name in wanted:
        with progress.step(f"Fetching {name}", sizes[name] or 0) as step:
            partial = _receive(mirror, name, folder, step)
        _check(partial, name, checksums.get(name))
        partial.replace(folder / name)


def _receive(mirror: Mirror, name: str, folder: Path, step: Step) -> Path:
    """Append what is missing to `<name>.partial`; `<name>.version` says of which remote state."""
    partial, version = folder / f"{name}.partial", folder / f"{name}.version"
    # One byte less, so that a server always has something left to send.
    have = max(partial.stat().st_size - 1, 0) if partial.is_file() else 0
    known = version.read_text(encoding="utf-8") if version.is_file() else ""
    with mirror.open(name, have, known) as opened:
        step.advance(opened.start)
        with partial.open("ab") as stream:
            stream.truncate(opened.start)
            version.write_text(opened.version, encoding="utf-8")
            for chunk in opened.chunks:
                stream.write(chunk)
                step.advance(len(chunk))
    version.unlink()
    return partial


def _check(partial: Path, name: str, expected: str | None) -> None:
    """Remove a file that is not what it should be, so that the next try starts afresh."""
    fault = ""
    if expected is not None and md5_of(partial) != expected:
        fault = f"differs from the mirror's {CHECKSUMS}"
    elif name in ARCHIVES and not zipfile.is_zipfile(partial):
        fault = "is not a whole zip archive"
    if fault:
        partial.unlink()
        raise DataError(f"{name} from data.mirror {fault}", "fetch again, or use another mirror")


def md5_of(path: Path) -> str:
    """The MD5 of a file in hex: what the publisher gives, against accidents and not attacks."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

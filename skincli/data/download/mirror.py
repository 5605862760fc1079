"""The published files from elsewhere: a local folder, or a web address under which they lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from skincli.config.data import DataConfig
from skincli.config.secrets import mask
from skincli.data.download.answers import Version
from skincli.data.download.asking import ask_text
from skincli.data.download.batch import download
from skincli.data.download.checksums import CHECKSUMS, CHUNK, md5_of, parse_checksums
from skincli.data.download.partial import Partial
from skincli.data.download.transfer import RemoteFile
from skincli.data.download.web import open_web
from skincli.data.storage import require_space
from skincli.errors import DataError
from skincli.progress import Progress


def is_web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def origin_of(address: str) -> str:
    """The mirror, fit to be shown: an address without credentials, or an absolute path."""
    return str(mask(address)) if is_web(address) else str(Path(address).absolute())


def take_from_mirror(
    address: str,
    published: Mapping[str, str | None],
    staging: Path,
    data: DataConfig,
    progress: Progress,
) -> bool:
    """Bring files, given with the MD5 they are published with, into `staging`.

    Whether every file has the MD5 of the mirror's own `MD5SUMS`, or the published one. Raises
    DataError for a file that is absent or damaged, SkincliError when a download fails.
    """
    names = list(published)
    if is_web(address):
        checksums = _download(address, names, staging, data, progress)
    else:
        checksums = _copy(Path(address), names, staging, progress)
    unknown = [name for name in names if name not in checksums]
    if all(md5_of(staging / name) == published[name] for name in unknown):
        return True
    progress.warn(
        f"unverified mirror: it has no {CHECKSUMS} that covers these files, and they are not the "
        "published ones"
    )
    return False


def _download(
    address: str, names: Sequence[str], staging: Path, data: DataConfig, progress: Progress
) -> dict[str, str]:
    root = address.rstrip("/")
    with open_web(data.download) as web:
        checksums = parse_checksums(ask_text(web, f"{root}/{CHECKSUMS}", CHECKSUMS) or "")
        files = [RemoteFile(name, f"{root}/{name}", md5=checksums.get(name)) for name in names]
        download(web, files, staging, progress)
    return checksums


def _copy(folder: Path, names: Sequence[str], staging: Path, progress: Progress) -> dict[str, str]:
    if not folder.is_dir():
        raise DataError(f"data.mirror: there is no folder `{folder}`")
    missing = next((name for name in names if not (folder / name).is_file()), None)
    if missing:
        raise DataError(f"data.mirror: `{folder}` holds no {missing}")
    sums = folder / CHECKSUMS
    checksums = parse_checksums(sums.read_text(encoding="utf-8")) if sums.is_file() else {}
    wanted = [name for name in names if not (staging / name).is_file()]
    require_space(staging, sum((folder / name).stat().st_size for name in wanted))
    for name in wanted:
        _copy_file(folder / name, staging, checksums.get(name), progress)
    return checksums


def _copy_file(source: Path, staging: Path, md5: str | None, progress: Progress) -> None:
    size = source.stat().st_size
    partial = Partial(staging, source.name)
    partial.begin(Version("", "", size))
    with (
        progress.step(f"Copying {source.name}", size, "bytes") as step,
        source.open("rb") as stream,
        partial.appending(),
    ):
        while chunk := stream.read(CHUNK):
            partial.append(chunk)
            step.advance(len(chunk))
    fault = partial.fault(size, md5)
    if fault:
        partial.discard()
        raise DataError(f"`{source}` {fault}", "mend data.mirror, or use another one")
    partial.finish()

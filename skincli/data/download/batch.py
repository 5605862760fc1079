"""Several files into a folder, at once, with a bar each."""

from collections.abc import Sequence
from pathlib import Path

from skincli.crew import work_through
from skincli.data.download.asking import ask_size
from skincli.data.download.transfer import RemoteFile, receive
from skincli.data.download.web import Web
from skincli.data.storage import require_space
from skincli.progress import Progress


def download(web: Web, files: Sequence[RemoteFile], folder: Path, progress: Progress) -> None:
    """Bring files into `folder`; those already there under their final names were checked before.

    Raises as `receive` does, and SkincliError when the disk has no room for what is missing.
    """
    wanted = [file for file in files if not (folder / file.name).is_file()]
    # What the server says now is for the bar and the disk: only a published size is held to.
    sizes = {file.name: _size(web, file) for file in wanted}
    partial = sum(path.stat().st_size for path in folder.glob("*.partial"))
    require_space(folder, sum(sizes.values()) - partial)
    work_through(
        wanted,
        web.settings.parallel,
        hold=lambda file: progress.step(f"Fetching {file.name}", sizes[file.name], "bytes"),
        work=lambda file, step: receive(web, file, folder, step),
        stop=web.stop,
    )


def _size(web: Web, file: RemoteFile) -> int:
    """The bytes of a file, 0 where nobody says."""
    if file.bytes is not None:
        return file.bytes
    return ask_size(web, file.url, file.name) or 0

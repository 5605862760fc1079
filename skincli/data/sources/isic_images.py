"""The images of a search, several at once, with one bar for all."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from skincli.crew import work_through
from skincli.data.download.answers import RefusedError
from skincli.data.download.isic import fresh_address
from skincli.data.download.transfer import RemoteFile, receive
from skincli.data.download.web import Web
from skincli.data.sources.isic_table import IsicImage
from skincli.data.storage import require_space
from skincli.progress import Progress, Step


def download_images(
    web: Web, images: Sequence[IsicImage], folder: Path, progress: Progress
) -> set[str]:
    """Bring `<isic_id>.jpg` of every image into `folder`, keeping those of the right size.

    The ids of images that the archive has no more. Raises as `receive` does.
    """
    folder.mkdir(exist_ok=True)
    wanted = [image for image in images if not _is_there(image, folder)]
    size = sum(image.size or 0 for image in wanted)
    require_space(folder, size)
    lost: set[str] = set()
    title = f"Fetching {len(wanted):,} of {len(images):,} images"
    with progress.step(title, size, "bytes") as step:
        work_through(
            wanted,
            web.settings.parallel,
            hold=lambda _: nullcontext(step),
            work=lambda image, step: _receive(web, image, folder, step, lost),
            stop=web.stop,
        )
    return lost


def _is_there(image: IsicImage, folder: Path) -> bool:
    path = folder / f"{image.isic_id}.jpg"
    return path.is_file() and image.size in (None, path.stat().st_size)


def _receive(web: Web, image: IsicImage, folder: Path, step: Step, lost: set[str]) -> None:
    """Addresses are signed for some time: a refused one is asked for again, once."""
    file = RemoteFile(f"{image.isic_id}.jpg", image.url, image.size)
    try:
        receive(web, file, folder, step)
    except RefusedError:
        fresh = fresh_address(web, image.isic_id)
        try:
            if fresh is None:
                lost.add(image.isic_id)
            else:
                receive(web, replace(file, url=fresh), folder, step)
        except RefusedError:
            lost.add(image.isic_id)

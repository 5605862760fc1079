"""Photographs the page of a running server for docs/serving. Only for drawn lesions.

PYTHONPATH=tests python tests/unit/serving/page/shoot.py URL FOLDER IMAGE...
"""

import sys
import tempfile
from pathlib import Path

from browsing import Visit, chromium, visit
from PIL import Image

_OTHER = "no-lesion.png"
# What is photographed: the theme, the width and the height that show it well.
_SHOTS = {
    "page-desktop-light": ("light", (1280, 1340)),
    "page-desktop-dark": ("dark", (1280, 1340)),
    "page-phone": ("light", (390, 1560)),
}


def shoot(url: str, folder: Path, images: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as drawn, chromium() as browser:
        other = Path(drawn) / _OTHER  # on which the model abstains
        Image.linear_gradient("L").resize((64, 48)).resize((400, 300), 0).save(other)
        for name, (theme, size) in _SHOTS.items():
            with visit(browser, url, size, color_scheme=theme) as visited:
                visited.open()
                visited.choose(images[0], other, *images[1:])
                for image in (*images, other):
                    visited.answered(image.name)
                _photograph(visited, folder / f"{name}.png")
        with visit(browser, url, (1280, 1000)) as visited:
            visited.open("/docs")
            visited.page.locator(".opblock").last.wait_for()
            _photograph(visited, folder / "docs-page.png")


def _photograph(visited: Visit, path: Path) -> None:
    """Write a PNG of 256 colours: no eye sees the difference, and it takes a third of the room."""
    visited.page.screenshot(path=path)
    with Image.open(path) as taken:
        reduced = taken.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, kmeans=5, dither=Image.Dither.NONE
        )
    reduced.save(path, optimize=True)


if __name__ == "__main__":
    address, out, *lesions = sys.argv[1:]
    shoot(address.rstrip("/"), Path(out), [Path(lesion) for lesion in lesions])

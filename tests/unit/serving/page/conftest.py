"""The page of the server over a tiny bundle, in a browser, and drawn images to give it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import Visit, chromium, url_of, visit
from playwright.sync_api import Browser
from uploads import encoded

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "TIFF": "tiff"}


@pytest.fixture(scope="module")  # not longer: Playwright and asyncio cannot share a thread
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visited(browser: Browser, client: httpx.Client) -> Iterator[Visit]:
    """The page, opened on a desktop."""
    with visit(browser, url_of(client)) as seen:
        seen.open()
        yield seen


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Images by name, of the browsers' formats and one that they cannot show."""
    folder = tmp_path_factory.mktemp("drawn")
    for seed, (format_name, suffix) in enumerate(SUFFIXES.items()):
        (folder / f"a.{suffix}").write_bytes(encoded(format_name, (90, 70), seed))
    for number in range(5):
        (folder / f"{number}.png").write_bytes(encoded("PNG", (90, 70), 10 + number))
    (folder / "bad.jpg").write_text("no image")
    return {path.name: path for path in folder.iterdir()}

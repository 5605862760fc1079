"""A real Chromium, and what it notes of each page: every request and every complaint."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)
from services import require

PHONE, DESKTOP = (390, 844), (1280, 900)
PREDICT = "**/v1/predict?*"
PATIENCE_MS = 30_000
# Without a sandbox because tests run as root; without whatever would call home.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=PATIENCE_MS)


def url_of(client: httpx.Client) -> str:
    return str(client.base_url).rstrip("/")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser, with an empty profile. To be left before anything else runs asyncio."""
    program = shutil.which("chromium")
    require(program, "Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page of a server, as a person sees it."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def choose(self, *files: Path) -> None:
        self.page.set_input_files("#files", files)

    def hold(self) -> list[Route]:
        """Keep the images on their way to the server back: a list that they come to."""
        held: list[Route] = []

        def keep(route: Route) -> None:
            held.append(route)

        self.page.route(PREDICT, keep)
        return held

    def card(self, name: str) -> Locator:
        """The card of the image called `name`."""
        return self.page.get_by_role("article", name=name, exact=True)

    def answered(self, name: str) -> Locator:
        """The card once the server has answered."""
        return self._in_state(name, "done")

    def failed(self, name: str) -> Locator:
        return self._in_state(name, "failed")

    def _in_state(self, name: str, state: str) -> Locator:
        card = self.card(name)
        expect(card).to_have_attribute("data-state", state)
        return card


@contextmanager
def visit(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, **wishes: Any
) -> Iterator[Visit]:
    """A fresh profile at the server. Afterwards: nothing was asked of any other, nor complained.

    The browser notes refused requests as errors; a test that wants those clears `complaints`.
    """
    width, height = size
    with browser.new_context(viewport={"width": width, "height": height}, **wishes) as context:
        context.set_default_timeout(PATIENCE_MS)
        seen = Visit(context.new_page(), url)
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("console", seen.note)
        # From the first listener on choosers are caught, which takes a moment: not in the tests.
        seen.page.on("filechooser", lambda chooser: None)
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        yield seen
        own = (f"{url}/", f"blob:{url}/", "data:")
        foreign = [asked for asked in seen.requests if not asked.startswith(own)]
        assert not foreign, foreign
        assert not seen.complaints, seen.complaints

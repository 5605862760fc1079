"""How the page and the documentation look: on phone and desktop, light and dark, to axe."""

from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, Visit, url_of, visit
from playwright.sync_api import Browser, Page, expect

Theme = Literal["light", "dark"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_is_accessible(
    browser: Browser,
    client: httpx.Client,
    drawn: dict[str, Path],
    size: tuple[int, int],
    theme: Theme,
) -> None:
    with visit(browser, url_of(client), size, color_scheme=theme) as visited:
        visited.open()
        _check(visited.page, size)
        visited.choose(drawn["a.jpg"], drawn["bad.jpg"], drawn["a.tiff"])
        visited.failed("bad.jpg")
        for name in ("a.jpg", "a.tiff"):
            visited.answered(name)
        for summary in visited.card("a.jpg").locator("summary").all():
            summary.click()
        visited.page.evaluate("document.getElementById('key').hidden = false")
        _check(visited.page, size)
        visited.complaints.clear()  # of the bad one


def test_the_theme_is_the_systems_until_another_is_chosen(
    browser: Browser, client: httpx.Client
) -> None:
    with visit(browser, url_of(client), color_scheme="dark") as visited:
        visited.open()
        dark = _ground(visited.page)
        visited.page.get_by_role("button", name="Light theme").click()
        light = _ground(visited.page)
        assert _brightness(dark) < 100 < 200 < _brightness(light)
        visited.page.reload()
        assert _ground(visited.page) == light
        visited.page.get_by_role("button", name="Dark theme").click()
        assert _ground(visited.page) == dark


def test_the_documentation_shows_every_operation(browser: Browser, client: httpx.Client) -> None:
    with visit(browser, url_of(client)) as visited:
        visited.open("/docs")
        document = client.get("/openapi.json").json()
        operations = [
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method in methods
        ]
        shown = visited.page.locator(".opblock")
        expect(shown).to_have_count(len(operations))
        for method, path in operations:
            block = shown.filter(has=visited.page.get_by_text(path, exact=True))
            expect(block).to_contain_text(method)


def test_the_documentation_can_be_tried_out(
    browser: Browser, client: httpx.Client, drawn: dict[str, Path]
) -> None:
    with visit(browser, url_of(client)) as visited:
        visited.open("/docs")
        predict = visited.page.locator("#operations-prediction-predict_v1_predict_post")
        predict.get_by_role("button").first.click()
        predict.get_by_role("button", name="Try it out").click()
        predict.locator("input[type=file]").set_input_files(drawn["a.jpg"])
        predict.get_by_role("button", name="Execute").click()
        expect(predict.locator(".live-responses-table")).to_contain_text("malignant_probability")
        # Swagger UI looks for a field made for files, and then takes the one for text.
        own = "Could not find component: JsonSchema_string_binary"
        visited.complaints[:] = [text for text in visited.complaints if text != own]


def test_the_page_is_reached_from_the_documentation_and_back(visited: Visit) -> None:
    visited.page.get_by_role("link", name="API").click()
    expect(visited.page.locator(".opblock").first).to_be_visible()
    visited.page.go_back()
    expect(visited.page.get_by_role("button", name="Choose images")).to_be_visible()


def _check(page: Page, size: tuple[int, int]) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    notice = page.get_by_role("contentinfo", name="Warning")
    expect(notice).to_contain_text("Not a medical device")
    expect(notice).to_contain_text("almost no dark skin")
    expect(notice).to_be_in_viewport(ratio=1)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def _ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def _brightness(colour: str) -> float:
    """The mean of the three channels of `rgb(…)`, from 0 to 255."""
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 3

"""What the page does with an answer: its picture, its warnings, what is told back, the key."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from browsing import Visit, url_of, visit
from bundles import tiny_bundle
from live import client_of, config_for
from playwright.sync_api import Browser, Locator, expect

from skincli.bundle import Bundle
from skincli.config.serving import KeysConfig
from skincli.serving.keys.issuing import create_key


@pytest.fixture
def card(visited: Visit, drawn: dict[str, Path]) -> Locator:
    visited.choose(drawn["a.jpg"])
    return visited.answered("a.jpg")


def test_the_heat_map_fades_over_what_the_network_saw(card: Locator) -> None:
    heat, slider = card.locator(".heat"), card.get_by_role("slider", name="Heat map")
    natural = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
    assert heat.evaluate(natural) == card.get_by_role("img").first.evaluate(natural) == [256, 256]
    assert heat.bounding_box() == card.get_by_role("img").first.bounding_box()
    expect(heat).to_have_css("opacity", "0.8")
    slider.press("ArrowLeft")
    expect(heat).to_have_css("opacity", "0.75")
    expect(card.get_by_text("75 %")).to_be_visible()
    slider.press("Home")
    expect(heat).to_have_css("opacity", "0")


def test_an_answer_to_distrust_says_so_in_words(
    browser: Browser, drawn: dict[str, Path], tmp_path: Path
) -> None:
    strange = tiny_bundle(tmp_path / "bundle", largest_distance=1e-3)
    with (
        client_of(config_for(strange.folder)) as client,
        visit(browser, url_of(client)) as visited,
    ):
        visited.open()
        visited.choose(drawn["a.jpg"])
        card = visited.answered("a.jpg")
        warning = card.locator(".band.warning")
        expect(warning).to_be_visible()
        expect(warning).to_contain_text("The model abstains: do not rely on this answer")
        expect(warning).to_contain_text("unlike those that the model has learnt from")
        expect(warning).to_contain_text("out of distribution: novelty")
        expect(card.get_by_text("not to be relied on")).to_be_visible()
        expect(visited.page.locator("#news")).to_contain_text("the model abstains")


def test_a_confirmed_diagnosis_reaches_the_server(visited: Visit, card: Locator) -> None:
    card.get_by_text("Say what it was found to be").click()
    card.get_by_label("Confirmed diagnosis").select_option("melanoma (mel)")
    with visited.page.expect_response("**/v1/feedback") as response:
        card.get_by_role("button", name="Send").click()
    assert response.value.status == httpx.codes.CREATED
    assert response.value.request.post_data_json["diagnosis"] == "mel"
    expect(card.get_by_text("noted as melanoma (mel)")).to_be_visible()


def test_the_model_is_described(visited: Visit, bundle: Bundle) -> None:
    model = visited.page.get_by_role("complementary", name="The model")
    for told in (bundle.spec.lineage.run_name, bundle.digest[:16], "32 × 32", "25.0 %", "95 %"):
        expect(model).to_contain_text(told)
    expect(model.get_by_text("Synthetic.")).to_be_visible()
    expect(model.locator(".classes li")).to_have_count(len(bundle.spec.classes))


def test_an_answer_of_another_model_has_the_page_ask_which(
    browser: Browser, client: httpx.Client, drawn: dict[str, Path]
) -> None:
    described = client.get("/v1/model").json() | {"digest": "0" * 64, "name": "the one before"}
    with visit(browser, url_of(client)) as visited:
        before = "**/v1/model"
        visited.page.route(before, lambda route: route.fulfill(json=described))
        visited.open()
        model = visited.page.get_by_role("complementary", name="The model")
        expect(model).to_contain_text("the one before")
        visited.page.unroute(before)
        visited.choose(drawn["a.jpg"])
        visited.answered("a.jpg")
        expect(model).not_to_contain_text("the one before")


def test_everything_can_be_done_with_the_keyboard(visited: Visit, drawn: dict[str, Path]) -> None:
    page = visited.page
    _tab_to(visited, "Choose images")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files(drawn["a.jpg"])
    card = visited.answered("a.jpg")
    _tab_to(visited, "Heat map")
    page.keyboard.press("ArrowLeft")
    expect(card.locator(".heat")).to_have_css("opacity", "0.75")
    _tab_to(visited, "Say what it was found to be")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("melanoma")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card.get_by_text("noted as melanoma (mel)")).to_be_visible()
    card.get_by_role("button", name="Remove a.jpg").press("Enter")
    expect(card).to_have_count(0)
    expect(page.get_by_role("button", name="Choose images")).to_be_focused()


def test_a_phones_camera_is_a_button_of_its_own(visited: Visit) -> None:
    with visited.page.expect_file_chooser() as chooser:
        visited.page.get_by_role("button", name="Take a photograph").click()
    assert chooser.value.element.get_attribute("capture") == "environment"
    assert not chooser.value.is_multiple()


@pytest.fixture
def locked(browser: Browser, bundle: Bundle, tmp_path: Path) -> Iterator[tuple[Visit, str]]:
    """A page of a server that asks for a key, and a key that it takes."""
    keys = tmp_path / "keys.json"
    secret = create_key(keys, "tester", None).key
    config = config_for(bundle.folder)
    asking = replace(config.serve, keys=KeysConfig(file=str(keys), required="always"))
    with (
        client_of(replace(config, serve=asking)) as client,
        visit(browser, url_of(client)) as visited,
    ):
        visited.open()
        yield visited, secret


def test_a_key_is_asked_for_and_then_used(
    locked: tuple[Visit, str], drawn: dict[str, Path]
) -> None:
    visited, secret = locked
    page, field = visited.page, visited.page.get_by_label("API key")
    expect(field).to_be_visible()
    visited.choose(drawn["a.jpg"])
    expect(visited.card("a.jpg")).to_have_attribute("data-state", "locked")
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_text("The server does not know this key")).to_be_visible()
    field.fill(secret)
    field.press("Enter")
    visited.answered("a.jpg")
    expect(field).to_be_hidden()
    page.reload()
    expect(page.get_by_role("complementary", name="The model")).to_contain_text("32 × 32")
    expect(field).to_be_hidden()
    assert {text for text in visited.complaints if "status of 401" not in text} == set()
    visited.complaints.clear()


def test_what_is_not_the_case_is_not_shown(visited: Visit, card: Locator) -> None:
    expect(visited.page.get_by_label("API key")).to_be_hidden()
    expect(card.locator(".band.warning")).to_be_hidden()
    expect(card.get_by_role("button", name="Try again")).to_be_hidden()


def _tab_to(visited: Visit, label: str) -> None:
    """Press Tab until what has the focus is called `label`."""
    named = "() => { const at = document.activeElement; return (at.labels?.[0] ?? at).innerText }"
    for _ in range(20):
        visited.page.keyboard.press("Tab")
        if str(visited.page.evaluate(named)).strip() == label:
            return
    raise AssertionError(f"Tab does not reach `{label}`")

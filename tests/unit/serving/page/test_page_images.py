"""How images come to the page, and what becomes of those that cannot be judged."""

import base64
from pathlib import Path

import httpx
import pytest
from browsing import PREDICT, Visit
from playwright.sync_api import Route, expect


def test_a_chosen_image_is_answered_as_the_api_answers(
    visited: Visit, client: httpx.Client, drawn: dict[str, Path]
) -> None:
    image = drawn["a.jpg"]
    answer = client.post("/v1/predict", files={"images": (image.name, image.read_bytes())}).json()
    (prediction,) = answer["predictions"]
    visited.choose(image)
    card = visited.answered("a.jpg")
    diagnosis, shares = prediction["diagnosis"], prediction["probabilities"]
    expect(card.locator(".diagnosis")).to_have_text(f"{diagnosis['name']} ({diagnosis['code']})")
    bars = card.locator(".bars li")
    ranked = sorted(shares, key=lambda code: -shares[code])
    expect(bars.locator("code")).to_have_text(ranked)
    expect(bars.locator(".share")).to_have_text([_percent(shares[code]) for code in ranked])
    expect(card.locator(".risk strong").first).to_have_text(
        _percent(prediction["malignant_probability"])
    )
    decision = "Flagged as malignant" if prediction["malignant"] else "Not flagged"
    expect(card.locator(".decision")).to_contain_text(decision)
    for code in prediction["conformal_set"]:
        expect(card.locator(".set")).to_contain_text(f"({code})")


def test_malignant_diagnoses_are_marked_in_words(
    visited: Visit, client: httpx.Client, drawn: dict[str, Path]
) -> None:
    visited.choose(drawn["a.jpg"])
    bars = visited.answered("a.jpg").locator(".bars li")
    for info in client.get("/v1/model").json()["classes"]:
        tag = bars.filter(has_text=info["name"]).locator(".tag")
        expect(tag).to_be_visible(visible=info["malignant"])


def test_several_images_go_three_at_a_time_and_can_be_cancelled(
    visited: Visit, drawn: dict[str, Path]
) -> None:
    held, page = visited.hold(), visited.page
    visited.choose(*(drawn[f"{number}.png"] for number in range(5)))
    expect(page.locator(".card[data-state=working]")).to_have_count(3)
    expect(page.locator(".card[data-state=waiting]")).to_have_count(2)
    held[0].continue_()
    visited.answered("0.png")
    expect(page.get_by_text("1 of 5 done")).to_be_visible()
    expect(visited.card("3.png")).to_have_attribute("data-state", "working")

    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.get_by_text("5 of 5 done")).to_be_visible()
    expect(page.locator(".card[data-state=cancelled]")).to_have_count(4)
    expect(page.get_by_role("heading", name="Results")).to_be_focused()

    page.unroute(PREDICT)
    visited.card("4.png").get_by_role("button", name="Try again").click()
    visited.answered("4.png")


def test_images_can_be_dropped_anywhere(visited: Visit, drawn: dict[str, Path]) -> None:
    session = visited.page.context.new_cdp_session(visited.page)
    files = [str(drawn[name]) for name in ("a.png", "a.jpg")]
    data = {"items": [], "files": files, "dragOperationsMask": 1}
    # The browser drops only what the page has said, to the last move, that it takes.
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        event = {"type": kind, "x": 1000, "y": 700, "data": data}
        session.send("Input.dispatchDragEvent", event)
        if kind == "dragOver":
            expect(visited.page.locator("html")).to_have_class("dragging")
    expect(visited.page.locator("html")).not_to_have_class("dragging")
    for name in ("a.png", "a.jpg"):
        visited.answered(name)


def test_an_image_can_be_pasted(visited: Visit, drawn: dict[str, Path]) -> None:
    page = visited.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const image = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
        }""",
        base64.b64encode(drawn["a.png"].read_bytes()).decode(),
    )
    page.keyboard.press("Control+V")
    visited.answered("image.png")


def test_a_file_that_is_no_image_shows_why_and_leaves_the_others_alone(
    visited: Visit, client: httpx.Client, drawn: dict[str, Path]
) -> None:
    bad = drawn["bad.jpg"]
    refusal = client.post("/v1/predict", files={"images": (bad.name, bad.read_bytes())})
    visited.choose(bad, drawn["a.jpg"])
    visited.answered("a.jpg")
    card = visited.failed("bad.jpg")
    expect(card.get_by_text(refusal.json()["detail"])).to_be_visible()
    expect(card.get_by_text("cannot show this file")).to_be_hidden()
    card.get_by_role("button", name="Try again").click()
    visited.failed("bad.jpg")
    visited.complaints.clear()


def test_of_a_file_that_browsers_cannot_show_the_servers_picture_is_shown(
    visited: Visit, drawn: dict[str, Path]
) -> None:
    held = visited.hold()
    visited.choose(drawn["a.tiff"])
    note = visited.card("a.tiff").get_by_text("cannot show this file")
    expect(note).to_be_visible()
    held[0].continue_()
    card = visited.answered("a.tiff")
    expect(note).to_be_hidden()
    picture = card.get_by_role("img", name="a.tiff")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 256


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    visited: Visit, drawn: dict[str, Path], status: int
) -> None:
    asked: list[Route] = []

    def busy_at_first(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=status, headers={"Retry-After": "1"}, json={"detail": "busy"})
        else:
            route.continue_()

    visited.page.route(PREDICT, busy_at_first)
    visited.choose(drawn["a.jpg"])
    expect(visited.card("a.jpg").get_by_text("asking again in 2 s")).to_be_visible()
    visited.answered("a.jpg")
    assert len(asked) == 2
    visited.complaints.clear()


def test_a_lost_server_is_reported(visited: Visit, drawn: dict[str, Path]) -> None:
    visited.page.route(PREDICT, lambda route: route.abort())
    visited.choose(drawn["a.jpg"])
    expect(visited.failed("a.jpg")).to_contain_text("cannot be reached")
    visited.complaints.clear()


def _percent(share: float) -> str:
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"

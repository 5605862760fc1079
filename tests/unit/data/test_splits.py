import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skincli.config.data import PartsConfig
from skincli.data import PARTS
from skincli.data.records import DuplicatePair
from skincli.data.splitting.assign import assign, assign_official
from skincli.data.splitting.rank import fold_of, part_of
from skincli.data.splitting.rows import SplitImage, SplitRow

SHARES = PartsConfig(seed=0)


def image(image_id: str, lesion_id: str, dx: str = "nv", content: str = "") -> SplitImage:
    digest = hashlib.sha256((content or image_id).encode()).hexdigest()
    return SplitImage(image_id=image_id, lesion_id=lesion_id, dx=dx, sha256=digest)


def alike(first: SplitImage, second: SplitImage) -> DuplicatePair:
    return DuplicatePair(
        first.image_id, second.image_id, first.lesion_id, second.lesion_id, "near", 1.0
    )


def deal(
    images: Sequence[SplitImage],
    pairs: Sequence[DuplicatePair] = (),
    earlier: Sequence[SplitRow] = (),
) -> dict[str, SplitRow]:
    before = {row.image_id: row for row in earlier}
    version = max((row.since for row in earlier), default=0) + 1
    return {row.image_id: row for row in assign(images, pairs, before, SHARES, version)}


def lesion_in(part: str, skip: int = 0) -> str:
    """A lesion id whose own hash puts it into `part`."""
    names = (f"L{number}" for number in range(1000))
    return [name for name in names if part_of(name, SHARES) == part][skip]


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abcd")), unique=True))
def test_a_set_that_grew_in_steps_is_split_as_one_that_came_at_once(
    found: list[tuple[int, str]],
) -> None:
    images = [image(f"I{lesion}{view}", f"L{lesion}") for lesion, view in found]
    first = deal(images[: len(images) // 2])
    grown = deal(images, earlier=list(first.values()))
    at_once = deal(images)
    assert {k: row.part for k, row in grown.items()} == {k: r.part for k, r in at_once.items()}
    assert all(grown[image_id].part == row.part for image_id, row in first.items())
    assert len({(row.lesion_id, row.part) for row in grown.values()}) == len(
        {row.lesion_id for row in grown.values()}
    )


def test_the_order_of_images_plays_no_role() -> None:
    images = [image(f"I{n}", f"L{n // 2}") for n in range(100)]
    assert deal(images[::-1]) == deal(images)


def test_shares_hold_on_average_within_each_diagnosis() -> None:
    for dx in ("nv", "mel"):
        counts = Counter(part_of(f"{dx}{number}", PartsConfig()) for number in range(20_000))
        for part in PARTS:
            share = getattr(PartsConfig(), part)
            assert counts[part] == pytest.approx(share * 20_000, rel=0.06)


def test_the_assignment_is_the_same_on_every_machine_and_version() -> None:
    """Changing it would mix the test lesions of released models into training."""
    parts = {f"L{n}": part_of(f"L{n}", PartsConfig(seed=0)) for n in range(12)}
    assert {lesion: part for lesion, part in parts.items() if part != "train"} == {
        "L1": "validation",
        "L4": "validation",
        "L7": "test",
        "L8": "validation",
        "L10": "calibration",
    }


def test_the_seed_changes_the_parts() -> None:
    names = [f"L{n}" for n in range(200)]
    dealt = [[part_of(name, PartsConfig(seed=seed)) for name in names] for seed in (0, 1)]
    assert dealt[0] != dealt[1]


def test_lesions_that_share_a_picture_stay_together() -> None:
    apart = image("a", lesion_in("train")), image("b", lesion_in("test"))
    others = [image("c", apart[0].lesion_id), image("d", apart[1].lesion_id)]
    rows = deal([*apart, *others], [alike(*apart)])
    assert len({row.part for row in rows.values()}) == 1
    assert {row.group for row in rows.values()} == {min(row.lesion_id for row in rows.values())}


def test_ties_are_followed_from_lesion_to_lesion() -> None:
    images = [image(f"I{n}", f"L{n}") for n in range(8)]
    rows = deal(images, [alike(a, b) for a, b in pairwise(images)])
    assert len({(row.group, row.part) for row in rows.values()}) == 1


def test_a_new_image_of_a_known_lesion_follows_it() -> None:
    first = deal([image("a", "L1")])
    second = deal([image("a", "L1"), image("b", "L1")], earlier=list(first.values()))
    assert second["b"].part == first["a"].part
    assert (second["a"].since, second["b"].since) == (1, 2)


def test_a_new_lesion_that_looks_like_a_known_one_follows_it() -> None:
    known, new = image("b", lesion_in("test")), image("a", lesion_in("train"))
    first = deal([known])
    second = deal([known, new], [alike(new, known)], list(first.values()))
    assert second["a"].part == second["b"].part == "test"
    assert second["a"].group == known.lesion_id


@pytest.mark.parametrize("name", ["0-first", "z-last"])
def test_a_new_image_that_ties_two_parts_is_quarantined(name: str) -> None:
    old = image("m", lesion_in("train")), image("n", lesion_in("test"))
    first = deal(old)
    bridge = image(name, old[1].lesion_id)
    second = deal([*old, bridge], [alike(bridge, old[0])], list(first.values()))
    assert second[name].part == "quarantined"
    assert (second["m"].part, second["n"].part) == ("train", "test")
    again = [*old, bridge, image("q", old[0].lesion_id)]
    third = deal(again, [alike(bridge, old[0])], list(second.values()))
    assert third[name].part == "quarantined"
    assert (third["m"].part, third["n"].part, third["q"].part) == ("train", "test", "train")


def test_a_new_lesion_between_two_parts_goes_to_one_and_leaves_an_image_out() -> None:
    old = image("m", lesion_in("train")), image("n", lesion_in("test"))
    first = deal(old)
    new = image("x", "new"), image("y", "new")
    pairs = [alike(old[0], new[0]), alike(old[1], new[1])]
    second = deal([*old, *new], pairs, list(first.values()))
    assert (second["m"].part, second["n"].part) == ("train", "test")
    assert sorted((second["x"].part, second["y"].part)) == ["quarantined", "train"]


def test_a_lesion_that_was_gone_comes_back_to_its_part() -> None:
    known, new = image("b", lesion_in("test")), image("a", lesion_in("train"))
    first = deal([known, new], [alike(new, known)])
    part = first["a"].part
    second = deal([known], earlier=list(first.values()))
    third = deal([known, new], earlier=[*first.values(), *second.values()])
    assert third["a"].part == part


@pytest.mark.parametrize("name", ["a", "renamed"])
def test_a_known_file_under_another_lesion_cannot_change_sides(name: str) -> None:
    old = image("a", lesion_in("train"), content="same"), image("n", lesion_in("test"))
    first = deal(old)
    moved = image(name, old[1].lesion_id, content="same")
    second = deal([moved, old[1]], earlier=list(first.values()))
    assert second[name].part == "quarantined"


def test_folds_cover_every_lesion_once() -> None:
    folds = Counter(fold_of(f"L{n}", 5, 0) for n in range(5000))
    assert sorted(folds) == [0, 1, 2, 3, 4]
    assert min(folds.values()) > 900


def test_official_parts_are_kept_and_validation_is_halved() -> None:
    parts = {"t": "train", "v": "validation", "s": "test"}
    images = [
        SplitImage(image_id=f"{k}{n}", lesion_id=f"{k}{n}", dx="nv", sha256="", official=part)
        for k, part in parts.items()
        for n in range(400)
    ]
    rows = assign_official(images, {}, 1)
    counts = Counter((row.image_id[0], row.part) for row in rows)
    assert (counts["t", "train"], counts["s", "test"]) == (400, 400)
    assert counts["v", "validation"] + counts["v", "calibration"] == 400
    assert min(counts["v", "validation"], counts["v", "calibration"]) > 160

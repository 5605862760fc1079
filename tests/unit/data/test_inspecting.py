"""Every image is looked at once, and again only when it has changed."""

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from clinic import encode, jpeg, picture
from PIL import Image

from skincli.data.inspecting.log import Inspection
from skincli.data.inspecting.look import inspect_images, known_inspection
from skincli.data.reading.images import ImageStore
from skincli.errors import Interrupted
from skincli.imaging import Limits
from skincli.progress import Silent

LIMITS = Limits(max_bytes=100_000, max_pixels=1_000_000)
MANY = {f"i{n:03d}": jpeg(n) for n in range(70)}
IDS = sorted(MANY)


@dataclass
class Counted:
    """An entry that counts how often it is read; Ctrl-C comes while one without bytes is."""

    data: bytes | None
    size: int
    reads: int = 0

    @property
    def token(self) -> str:
        return hashlib.sha256(self.data or b"").hexdigest()

    def read(self) -> bytes:
        self.reads += 1
        if self.data is None:
            raise Interrupted(2)
        return self.data


class Pictures:
    """A store of counted entries."""

    def __init__(self, images: dict[str, bytes]) -> None:
        self.entries = {i: Counted(data, len(data)) for i, data in images.items()}

    @property
    def store(self) -> ImageStore:
        return ImageStore(self.entries.items(), ExitStack())

    def inspect(self, folder: Path, limits: Limits = LIMITS) -> Inspection:
        return inspect_images(folder, self.store, sorted(self.entries), limits, Silent())

    def reads(self) -> list[str]:
        """The ids that were read since the last time, as often as they were."""
        found = [i for i, entry in sorted(self.entries.items()) for _ in range(entry.reads)]
        for entry in self.entries.values():
            entry.reads = 0
        return found


def assert_same(found: Inspection, expected: Inspection, image_ids: Iterable[str] = IDS) -> None:
    ids = list(image_ids)
    assert {i: found.facts[i] for i in ids} == {i: expected.facts[i] for i in ids}
    assert (found.thumbnails_of(ids) == expected.thumbnails_of(ids)).all()


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return Pictures(MANY).inspect(tmp_path_factory.mktemp("at_once"))


def test_what_is_known_of_an_image(tmp_path: Path) -> None:
    half = Image.new("RGB", (96, 64), "white")
    half.paste("black", (0, 0, 48, 64))
    turned = Image.Exif()
    turned[0x0112] = 6
    data = encode(half, exif=turned, quality=95)
    found = Pictures({"a": data, "b": b"no image"}).inspect(tmp_path)
    facts = found.facts["a"]
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert (facts.width, facts.height, facts.converted, facts.fault) == (64, 96, "rotated", "")
    thumbnail, black = found.thumbnails_of(["a", "b"]).astype(int)
    assert found.thumbnails.dtype == np.uint8
    assert thumbnail.shape == (32, 32)
    assert thumbnail[:15].max() < 10
    assert thumbnail[17:].min() > 245
    assert black.max() == 0
    assert found.facts["b"].fault.startswith("this is not an image")


def test_nothing_is_looked_at_twice(tmp_path: Path, at_once: Inspection) -> None:
    pictures = Pictures(MANY)
    pictures.inspect(tmp_path)
    assert pictures.reads() == IDS
    assert_same(pictures.inspect(tmp_path), at_once)
    assert pictures.reads() == []


def test_only_new_images_are_looked_at(tmp_path: Path, at_once: Inspection) -> None:
    Pictures({i: MANY[i] for i in IDS[::3]}).inspect(tmp_path)
    pictures = Pictures(MANY)
    assert_same(pictures.inspect(tmp_path), at_once)
    assert pictures.reads() == sorted(set(IDS) - set(IDS[::3]))


def test_a_changed_image_is_looked_at_again_and_one_changed_back_is_remembered(
    tmp_path: Path, at_once: Inspection
) -> None:
    Pictures(MANY).inspect(tmp_path)
    changed = Pictures(MANY | {IDS[5]: jpeg(500)})
    found = changed.inspect(tmp_path)
    assert changed.reads() == [IDS[5]]
    assert found.facts[IDS[5]].sha256 == hashlib.sha256(jpeg(500)).hexdigest()
    assert (found.thumbnails_of([IDS[5]]) != at_once.thumbnails_of([IDS[5]])).any()
    assert_same(found, at_once, set(IDS) - {IDS[5]})
    again = Pictures(MANY)
    assert_same(again.inspect(tmp_path), at_once)
    assert again.reads() == []


@pytest.mark.parametrize(
    ("file", "cut", "lost"),
    [
        ("facts.jsonl", 1, 0),
        ("facts.jsonl", 40, 1),
        ("facts.jsonl", 200, 2),
        ("thumbnails.u8", 1, 1),
        ("thumbnails.u8", 1500, 2),
    ],
)
def test_it_goes_on_after_a_line_or_thumbnail_that_was_cut_off(
    tmp_path: Path, at_once: Inspection, file: str, cut: int, lost: int
) -> None:
    first = Pictures({i: MANY[i] for i in IDS[:40]})
    first.inspect(tmp_path)
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:-cut])
    pictures = Pictures(MANY)
    assert_same(pictures.inspect(tmp_path), at_once)
    assert pictures.reads() == IDS[40 - lost :]
    assert_same(Pictures(MANY).inspect(tmp_path), at_once)


@pytest.mark.parametrize("file", ["facts.jsonl", "thumbnails.u8"])
@pytest.mark.parametrize("damage", ["gone", "empty", "garbage"])
def test_a_lost_log_is_written_anew(
    tmp_path: Path, at_once: Inspection, file: str, damage: str
) -> None:
    Pictures(MANY).inspect(tmp_path)
    path = tmp_path / file
    path.unlink()
    if damage != "gone":
        path.write_bytes(b"" if damage == "empty" else b"\xff\x00\x80" * 20)
    assert_same(Pictures(MANY).inspect(tmp_path), at_once)


def test_an_interruption_loses_no_more_than_a_batch(tmp_path: Path, at_once: Inspection) -> None:
    pictures = Pictures(MANY)
    data, pictures.entries[IDS[67]].data = pictures.entries[IDS[67]].data, None
    with pytest.raises(Interrupted):
        pictures.inspect(tmp_path)
    pictures.reads()
    pictures.entries[IDS[67]].data = data
    assert_same(pictures.inspect(tmp_path), at_once)
    assert pictures.reads() == IDS[64:]


def test_a_file_beyond_the_limit_is_not_even_read(tmp_path: Path) -> None:
    pictures = Pictures({"a": bytes(LIMITS.max_bytes + 1)})
    found = pictures.inspect(tmp_path)
    assert pictures.reads() == []
    assert found.facts["a"].fault == "the file has 100,001 bytes, more than the 100,000 allowed"


def test_limits_that_change_are_applied_to_unchanged_files(tmp_path: Path) -> None:
    pictures = Pictures({"a": encode(picture(0, 200, 100)), "b": jpeg(1)})
    small = Limits(max_bytes=LIMITS.max_bytes, max_pixels=10_000)
    few = Limits(max_bytes=len(jpeg(1)), max_pixels=LIMITS.max_pixels)
    few_pixels, few_bytes, enough = (small, "200 x 100 pixels"), (few, "bytes"), (LIMITS, "")
    for limits, fault in (few_pixels, enough, few_bytes, enough, few_pixels):
        facts = pictures.inspect(tmp_path, limits).facts
        assert fault in facts["a"].fault
        assert bool(facts["a"].fault) == bool(fault)
        assert facts["b"].fault == ""


def test_a_fault_is_noted_once_however_often_it_is_met(tmp_path: Path) -> None:
    for _ in range(3):
        Pictures({"a": b"no image", "b": jpeg(1)}).inspect(tmp_path)
    assert len((tmp_path / "facts.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "thumbnails.u8").stat().st_size == 2 * 32 * 32


def test_what_is_known_is_known_only_when_all_of_it_is(tmp_path: Path, at_once: Inspection) -> None:
    pictures = Pictures(MANY)
    assert known_inspection(tmp_path, pictures.store, IDS) is None
    Pictures({i: MANY[i] for i in IDS[1:]}).inspect(tmp_path)
    assert known_inspection(tmp_path, pictures.store, IDS) is None
    pictures.inspect(tmp_path)
    pictures.reads()
    found = known_inspection(tmp_path, pictures.store, IDS)
    assert found is not None
    assert_same(found, at_once)
    assert pictures.reads() == []
    assert known_inspection(tmp_path / "none", pictures.store, []) is not None

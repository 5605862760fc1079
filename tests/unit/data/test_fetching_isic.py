"""A search of the ISIC Archive: pages, images behind addresses that expire, licences, diagnoses."""

import csv
import json
from pathlib import Path

import pytest
from standins.faults import PAGE, answers, cut
from standins.isic import Isic

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.errors import SkincliError
from skincli.progress import Silent

CODES = ("nv", "mel", "bkl", "vasc", None)


def rows_of(raw: Path) -> dict[str, dict[str, str]]:
    with (raw / "metadata.csv").open(newline="") as stream:
        return {row["image_id"]: row for row in csv.DictReader(stream)}


def test_images_come_with_their_table(isic_config: Config, isic: Isic, progress) -> None:
    result = fetch(isic_config, progress)
    assert (result.n_images, result.verified, result.created) == (20, False, True)
    assert {path.name for path in result.folder.iterdir()} == {
        *("images", "metadata.csv", "unmapped.csv", "listing.jsonl", "SHA256SUMS", "source.json")
    }
    rows = rows_of(result.folder)
    for index, lesion in enumerate(isic.lesions):
        code, path = CODES[index % 5], result.folder / "images" / lesion.file.name
        if code is None:
            assert lesion.isic_id not in rows
            assert not path.exists()
        else:
            assert rows[lesion.isic_id]["dx"] == code
            assert path.read_bytes() == lesion.file.read_bytes()
    assert [rows[f"ISIC_000000{n}"]["lesion_id"] for n in (0, 1, 2)] == [
        *("IL_1", "IP_2", "ISIC_0000002")
    ]
    assert rows["ISIC_0000001"] == {
        "image_id": "ISIC_0000001",
        "lesion_id": "IP_2",
        "dx": "mel",
        "dx_type": "histopathology",
        "age": "41",
        "sex": "female",
        "localization": "posterior torso",
        "dataset": "Hospital A",
        "diagnosis": "Melanoma, NOS",
        "licence": "CC-BY-NC",
        "attribution": "Hospital A",
    }
    record = json.loads((result.folder / "source.json").read_text())
    assert record["licence"] == "CC-0, CC-BY-NC"
    assert result.n_files == 4 + 20


def test_what_is_none_of_the_seven_is_listed(isic_config: Config, progress) -> None:
    result = fetch(isic_config, progress)
    (warning,) = progress.warnings
    assert "5 images are left out" in warning
    assert "Squamous cell carcinoma, NOS 5" in warning
    with (result.folder / "unmapped.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["diagnosis"], row["count"]) == ("Squamous cell carcinoma, NOS", "5")
    assert row["image_ids"].split()[:2] == ["ISIC_0000004", "ISIC_0000009"]


def test_the_search_is_what_was_asked_for(isic_config: Config, isic: Isic) -> None:
    isic_config.data.isic.collections = [212]
    isic_config.data.isic.query = "sex:female AND age_approx:[40 TO 90]"
    assert fetch(isic_config, Silent()).n_images == 16
    first = isic.asked[0]
    assert first.query["collections"] == "212"
    assert first.query["query"] == "sex:female AND age_approx:[40 TO 90]"


def test_nothing_is_done_twice(isic_config: Config, isic: Isic) -> None:
    fetch(isic_config, Silent())
    asked = len(isic.asked)
    assert not fetch(isic_config, Silent()).created
    assert len(isic.asked) == asked


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_an_image_that_is_harmed_is_fetched_again_alone(
    isic_config: Config, isic: Isic, harm: str
) -> None:
    raw = fetch(isic_config, Silent()).folder
    image = raw / "images" / "ISIC_0000002.jpg"
    before, sent = image.read_bytes(), len(isic.storage.asked)
    image.unlink() if harm == "gone" else image.write_bytes(before[:-1] + b"x")
    assert fetch(isic_config, Silent()).created
    assert image.read_bytes() == before
    assert [each.name for each in isic.storage.asked[sent:]] == [image.name]


def test_an_image_that_the_archive_replaced_is_fetched_again(
    isic_config: Config, isic: Isic
) -> None:
    raw = fetch(isic_config, Silent()).folder
    other = isic.lesions[2].file.read_bytes() + b"more"
    isic.lesions[2].file.write_bytes(other)
    (raw / "metadata.csv").unlink()
    sent = len(isic.storage.asked)
    assert fetch(isic_config, Silent()).created
    assert (raw / "images" / "ISIC_0000002.jpg").read_bytes() == other
    assert [each.name for each in isic.storage.asked[sent:]] == ["ISIC_0000002.jpg"]


def test_another_search_keeps_the_images_that_it_shares(isic_config: Config, isic: Isic) -> None:
    isic_config.data.isic.collections = [212]
    fetch(isic_config, Silent())
    sent = len(isic.storage.asked)
    isic_config.data.isic.collections = [212, 70]
    assert fetch(isic_config, Silent()).n_images == 20
    assert {each.name for each in isic.storage.asked[sent:]} == {
        *(f"ISIC_00000{n}.jpg" for n in (20, 21, 22, 23))
    }


def test_a_listing_goes_on_where_it_stopped(isic_config: Config, isic: Isic) -> None:
    isic_config.data.download.attempts = 2
    isic.faults["list"] = [None, None, answers(503), answers(503)]
    with pytest.raises(SkincliError, match="the list of images cannot be downloaded"):
        fetch(isic_config, Silent())
    asked = len(isic.asked)
    assert fetch(isic_config, Silent()).n_images == 20
    assert [each.query.get("cursor") for each in isic.asked[asked:]] == ["20"]


def test_a_place_in_the_listing_that_is_forgotten_starts_it_afresh(
    isic_config: Config, isic: Isic
) -> None:
    isic.faults["list"] = [PAGE] * 3
    with pytest.raises(SkincliError, match="web page instead"):
        fetch(isic_config, Silent())
    (staging,) = (Path(isic_config.data.root) / "isic").glob("raw-*.partial")
    stale = {"bytes": 0, "images": 5, "next": f"{isic.url}/api/v2/images/gone/"}
    (staging / "listing.json").write_text(json.dumps(stale))
    assert fetch(isic_config, Silent()).n_images == 20


def test_an_address_that_expired_is_asked_for_again(isic_config: Config, isic: Isic) -> None:
    expired = {"ISIC_0000000.jpg", "ISIC_0000001.jpg"}
    for name in expired:
        isic.storage.faults[name] = [answers(403)]
    assert fetch(isic_config, Silent()).n_images == 20
    fresh = [each.path for each in isic.asked if "search" not in each.path]
    assert sorted(fresh) == ["/api/v2/images/ISIC_0000000/", "/api/v2/images/ISIC_0000001/"]


def test_an_image_that_broke_off_goes_on(isic_config: Config, isic: Isic) -> None:
    isic.storage.faults["ISIC_0000000.jpg"] = [cut(1000), answers(403)]
    result = fetch(isic_config, Silent())
    whole = isic.lesions[0].file.read_bytes()
    assert (result.folder / "images" / "ISIC_0000000.jpg").read_bytes() == whole
    assert isic.storage.sent("ISIC_0000000.jpg") == len(whole)


def test_an_image_that_was_withdrawn_is_left_out(isic_config: Config, isic: Isic, progress) -> None:
    isic.storage.faults["ISIC_0000002.jpg"] = [answers(404)]
    isic.faults["ISIC_0000002"] = [answers(404)]
    result = fetch(isic_config, progress)
    assert result.n_images == 19
    assert "ISIC_0000002" not in rows_of(result.folder)
    assert any("are there no more: ISIC_0000002" in text for text in progress.warnings)

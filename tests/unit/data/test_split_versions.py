"""The split through `prepare`: versions, stability, folds, and what it does about damage."""

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from commands import skincli
from data_sets import add_image, edit_metadata, keep_rows, raw_of, split_folder

from skincli.config.schema import Config
from skincli.data import check, prepare
from skincli.data.raw import ARCHIVES
from skincli.errors import DataError, GateError
from skincli.progress import Silent


def parts(config: Config) -> dict[str, str]:
    prepared = prepare(config, Silent()).prepared
    return {sample.image_id: sample.part for sample in prepared.samples}


def move_to_train(path: Path) -> None:
    """Say of the first test image that it belongs to training."""
    rows = list(csv.reader(io.StringIO(path.read_text())))
    column = rows[0].index("part")
    next(row for row in rows if row[column] == "test")[column] = "train"
    with path.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def test_unchanged_images_keep_their_version(own_config: Config) -> None:
    first = prepare(own_config, Silent())
    own_config.data.image_size = 48
    second = prepare(own_config, Silent())
    assert first.split == second.split == split_folder(own_config, 1)
    assert not split_folder(own_config, 2).exists()


def test_v1_then_v2_gives_what_v2_alone_gives(own_config: Config, synthetic_config: Config) -> None:
    keep_rows(own_config, 0.6)
    first = parts(own_config)
    shutil.rmtree(raw_of(own_config))
    shutil.copytree(raw_of(synthetic_config), raw_of(own_config))
    second = parts(own_config)
    assert second == parts(synthetic_config)
    assert {image_id: second[image_id] for image_id in first} == first
    assert split_folder(own_config, 2).is_dir()


def test_a_new_image_that_ties_two_parts_is_quarantined_and_told(
    own_config: Config, progress
) -> None:
    before = prepare(own_config, Silent()).prepared
    lesions = {sample.part: sample for sample in before.samples}
    archive = raw_of(own_config) / ARCHIVES[0]
    source, other = lesions["train"], lesions["test"]
    data = read_image(own_config, source.image_id)
    add_image(own_config, archive, "bridge", other.lesion_id, other.dx, data + b"\0")
    after = prepare(own_config, progress).prepared
    found = {sample.image_id: sample.part for sample in after.samples}
    assert found.pop("bridge") == "quarantined"
    assert found == {sample.image_id: sample.part for sample in before.samples}
    assert after.manifest.n_quarantined == 1
    assert after.manifest.split_fingerprint == before.manifest.split_fingerprint
    assert any("1 image is quarantined" in text for text in progress.warnings)
    assert check(own_config, Silent()).n_quarantined == 1


def test_lesions_that_share_a_picture_stay_in_one_part(own_config: Config) -> None:
    alone = parts(own_config)
    source = next(image_id for image_id, part in alone.items() if part == "test")
    archive = raw_of(own_config) / ARCHIVES[0]
    add_image(own_config, archive, "copy", "another lesion", "nv", read_image(own_config, source))
    shutil.rmtree(split_folder(own_config, 1).parent)
    assert parts(own_config)["copy"] == parts(own_config)[source]
    result = check(own_config, Silent())
    assert (result.n_duplicates_across, result.leaks) == (1, ())


def test_folds_deal_training_and_validation_anew_and_leave_the_test_part(
    own_config: Config,
) -> None:
    plain = parts(own_config)
    validated: list[str] = []
    own_config.data.folds = 4
    fingerprints = set()
    for fold in range(4):
        own_config.data.fold = fold
        prepared = prepare(own_config, Silent()).prepared
        fingerprints.add((prepared.manifest.split_fingerprint, prepared.manifest.test_fingerprint))
        dealt = {sample.image_id: sample.part for sample in prepared.samples}
        for part in ("test", "calibration"):
            assert {k for k, v in dealt.items() if v == part} == {
                k for k, v in plain.items() if v == part
            }
        assert len({(s.lesion_id, s.part) for s in prepared.samples}) == 120
        validated += [image_id for image_id, part in dealt.items() if part == "validation"]
    assert sorted(validated) == sorted(k for k, v in plain.items() if v in ("train", "validation"))
    assert len(fingerprints) == 4
    assert len({test for _, test in fingerprints}) == 1


def test_a_leak_in_the_stored_split_stops_everything(own_config: Config, tmp_path: Path) -> None:
    prepare(own_config, Silent())
    path = split_folder(own_config, 1) / "images.csv"
    move_to_train(path)
    with pytest.raises(GateError, match=r"lies in test and train|was altered"):
        prepare(own_config, Silent())
    words = settings(own_config)
    done = skincli(tmp_path, "data", "check", *words, "--json", code=3)
    assert done.data["leaks"]
    for command in (["data", "prepare"], ["train", "model=small_resnet"]):
        done = skincli(tmp_path, *command, *words, "data.image_size=32", code=3)
        assert str(path.parent) in done.err


def test_a_sound_split_passes_and_full_reads_everything(own_config: Config, tmp_path: Path) -> None:
    prepared = prepare(own_config, Silent()).prepared
    words = settings(own_config)
    done = skincli(tmp_path, "data", "check", *words, "--full", "--json")
    assert (done.data["leaks"], done.data["packs"], done.data["files"]) == ([], 1, 3)
    assert (done.data["n_lesions"], done.data["version"]) == (120, 1)
    with (prepared.folder / "images.npy").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x07\x08")
    done = skincli(tmp_path, "data", "check", *words, "--full", code=2)
    assert "are not as they were packed" in done.err


def test_check_asks_for_prepare_first(own_config: Config) -> None:
    with pytest.raises(DataError) as caught:
        check(own_config, Silent())
    assert "skincli data prepare data=synthetic" in caught.value.hint


@pytest.mark.parametrize("name", ["images.csv", "duplicates.csv", "split.json"])
def test_a_split_that_cannot_be_read_is_not_dealt_anew(own_config: Config, name: str) -> None:
    prepare(own_config, Silent())
    (split_folder(own_config, 1) / name).write_text("nonsense")
    with pytest.raises((DataError, GateError)) as caught:
        prepare(own_config, Silent())
    assert str(split_folder(own_config, 1)) in caught.value.message


def test_every_version_names_what_it_was_made_for(own_config: Config) -> None:
    prepare(own_config, Silent())
    edit_metadata(own_config, lambda rows: rows[:-1])
    prepare(own_config, Silent())
    found = [json.loads((split_folder(own_config, n) / "split.json").read_text()) for n in (1, 2)]
    assert [item["version"] for item in found] == [1, 2]
    assert found[0]["inputs"] != found[1]["inputs"]
    assert found[0]["settings"] == found[1]["settings"]


def settings(config: Config) -> list[str]:
    """The overrides that name this set on the command line."""
    return [
        "data=synthetic",
        f"data.root={config.data.root}",
        f"data.synthetic.lesions={config.data.synthetic.lesions}",
        f"data.parts.seed={config.data.parts.seed}",
    ]


def read_image(config: Config, image_id: str) -> bytes:
    for name in ARCHIVES:
        with zipfile.ZipFile(raw_of(config) / name) as archive:
            if f"{image_id}.jpg" in archive.namelist():
                return archive.read(f"{image_id}.jpg")
    raise AssertionError(image_id)

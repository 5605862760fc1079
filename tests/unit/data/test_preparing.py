import copy
import dataclasses
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skincli.config.schema import Config
from skincli.data import PARTS, PreparedSet, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.storage import SetFolder
from skincli.errors import DataError
from skincli.imaging import Limits, read_input
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSIS_CODES


def raw_of(config: Config) -> Path:
    return SetFolder.of(config.data).raw


def fingerprints(prepared: PreparedSet) -> tuple[str, str, str]:
    manifest = prepared.manifest
    return (
        manifest.dataset_fingerprint,
        manifest.split_fingerprint,
        manifest.test_fingerprint,
    )


def edit_metadata(config: Config, change: Callable[[list[str]], list[str]]) -> None:
    """Change the rows of the CSV; its size as fetched must hold for the set to open."""
    path = raw_of(config) / METADATA
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *change(rows)]) + "\n")
    refresh_record(config)


def refresh_record(config: Config) -> None:
    from skincli.data.raw import RawFile, read_record, write_record

    raw = raw_of(config)
    record = read_record(raw)
    assert record is not None
    files = {name: RawFile((raw / name).stat().st_size, "") for name in record.files}
    write_record(raw, dataclasses.replace(record, files=files))


def rewrite_archive(config: Config, change: Callable[[str, bytes], bytes | None]) -> None:
    """Pass every image of the first archive through `change`; None leaves it out."""
    path = raw_of(config) / ARCHIVES[0]
    with zipfile.ZipFile(path) as archive:
        images = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in images.items():
            if data is not None:
                archive.writestr(name, data)
    refresh_record(config)


def test_rows_hold_what_the_network_would_see_of_each_image(synthetic_config: Config) -> None:
    prepared = prepare(synthetic_config, Silent()).prepared
    raw, limits = raw_of(synthetic_config), Limits.of(synthetic_config.image)
    assert prepared.images.shape == (len(prepared.samples), 32, 32, 3)
    assert prepared.images.dtype == np.uint8
    assert isinstance(prepared.images, np.memmap)
    with zipfile.ZipFile(raw / ARCHIVES[1]) as archive:
        for row, sample in enumerate(prepared.samples):
            if f"{sample.image_id}.jpg" in archive.namelist():
                data = archive.read(f"{sample.image_id}.jpg")
                expected = read_input(data, 32, "center", limits)
                assert np.array_equal(prepared.images[row], expected)


def test_no_lesion_is_in_two_parts_and_every_diagnosis_in_all(synthetic_config: Config) -> None:
    prepared = prepare(synthetic_config, Silent()).prepared
    parts = {(sample.lesion_id, sample.part) for sample in prepared.samples}
    assert len(parts) == prepared.manifest.n_lesions == 120
    for part in PARTS:
        assert set(prepared.labels("multiclass")[prepared.rows(part)]) == set(range(7))
        assert min(prepared.manifest.counts[part].values()) >= 1
    rows = np.concatenate([prepared.rows(part) for part in PARTS])
    assert sorted(rows) == list(range(len(prepared.samples)))


def test_labels_follow_the_task(synthetic_config: Config) -> None:
    prepared = prepare(synthetic_config, Silent()).prepared
    multiclass, binary = prepared.labels("multiclass"), prepared.labels("binary")
    assert multiclass.dtype == binary.dtype == np.int64
    for sample, label, malignant in zip(prepared.samples, multiclass, binary, strict=True):
        assert DIAGNOSIS_CODES[label] == sample.dx
        assert malignant == (sample.dx in {"mel", "bcc", "akiec"})


def test_unchanged_inputs_are_no_work(own_config: Config) -> None:
    first = prepare(own_config, Silent())
    stamp = (first.prepared.folder / "images.npy").stat().st_mtime_ns
    second = prepare(own_config, Silent())
    assert (first.created, second.created) == (True, False)
    assert second.prepared.folder == first.prepared.folder
    assert (second.prepared.folder / "images.npy").stat().st_mtime_ns == stamp
    assert second.prepared.manifest == first.prepared.manifest
    assert second.prepared.samples == first.prepared.samples


def test_sizes_and_crops_lie_side_by_side_under_one_split(own_config: Config) -> None:
    small = prepare(own_config, Silent()).prepared
    own_config.data.image_size, own_config.data.crop = 48, "whole"
    large = prepare(own_config, Silent()).prepared
    assert large.images.shape[1:] == (48, 48, 3)
    assert fingerprints(large) == fingerprints(small)
    assert large.manifest.settings_fingerprint != small.manifest.settings_fingerprint
    assert small.folder.is_dir()
    own_config.data.image_size, own_config.data.crop = 32, "center"
    assert not prepare(own_config, Silent()).created


def test_another_split_seed_keeps_the_data_set_but_not_the_split(own_config: Config) -> None:
    first = fingerprints(prepare(own_config, Silent()).prepared)
    own_config.data.parts.seed = 1
    second = fingerprints(prepare(own_config, Silent()).prepared)
    assert second[0] == first[0]
    assert second[1] != first[1]
    assert second[2] != first[2]


def test_the_order_of_the_metadata_changes_nothing(own_config: Config) -> None:
    first = prepare(own_config, Silent()).prepared
    edit_metadata(own_config, lambda rows: rows[::-1])
    second = prepare(own_config, Silent())
    assert not second.created
    assert fingerprints(second.prepared) == fingerprints(first)


def test_a_change_of_one_image_or_label_changes_the_fingerprints(own_config: Config) -> None:
    first = fingerprints(prepare(own_config, Silent()).prepared)
    edit_metadata(own_config, lambda rows: [rows[0].replace(",nv,", ",df,"), *rows[1:]])
    second = fingerprints(prepare(own_config, Silent()).prepared)
    rewrite_archive(own_config, lambda name, data: data + b"\0")
    third = fingerprints(prepare(own_config, Silent()).prepared)
    assert len({first[0], second[0], third[0]}) == 3
    assert len({first[1], second[1], third[1]}) == 3


@pytest.mark.parametrize("name", ["images.npy", "samples.csv", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "emptied"])
def test_a_damaged_set_is_made_again(own_config: Config, name: str, damage: str) -> None:
    first = prepare(own_config, Silent()).prepared
    path, images = first.folder / name, first.images.copy()
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    again = prepare(own_config, Silent())
    assert again.created
    assert np.array_equal(again.prepared.images, images)


def test_a_lesion_moved_by_hand_to_another_part_is_noticed(own_config: Config) -> None:
    path = prepare(own_config, Silent()).prepared.folder / "samples.csv"
    path.write_text(path.read_text().replace(",test,", ",train,", 1))
    assert prepare(own_config, Silent()).created


def test_without_raw_data_the_hint_is_to_fetch(tmp_path: Path) -> None:
    config = Config()
    config.data.root = str(tmp_path)
    with pytest.raises(DataError) as caught:
        prepare(config, Silent())
    assert "skincli data fetch data=ham10000" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_data_drawn_with_another_seed_are_not_taken_for_these(own_config: Config) -> None:
    own_config.data.synthetic.seed = 8
    with pytest.raises(DataError, match=r"fetched with other settings: drawn .* \(seed 7\)"):
        prepare(own_config, Silent())


def test_missing_images_are_listed_with_their_lines(own_config: Config) -> None:
    gone = {"SYN_0000001.jpg", "SYN_0000003.jpg"}
    rewrite_archive(own_config, lambda name, data: None if name in gone else data)
    with pytest.raises(DataError) as caught:
        prepare(own_config, Silent())
    expected = "image missing: 2 (line 2: `SYN_0000001`, line 4: `SYN_0000003`)"
    assert expected in caught.value.message


def test_all_undecodable_images_are_listed_at_once(own_config: Config) -> None:
    bad = {"SYN_0000002.jpg": b"", "SYN_0000005.jpg": b"not an image"}
    rewrite_archive(own_config, bad.get)
    with pytest.raises(DataError) as caught:
        prepare(own_config, Silent())
    message = caught.value.message
    assert message.startswith("2 images cannot be read: `SYN_0000002` (the file is empty)")
    assert "`SYN_0000005`" in message
    assert not list(SetFolder.of(own_config.data).prepared.glob("*/manifest.json"))


def test_a_flipped_bit_in_an_archive_is_caught(own_config: Config) -> None:
    path = raw_of(own_config) / ARCHIVES[0]
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"1 image cannot be read: `SYN_0000001`.*CRC"):
        prepare(own_config, Silent())


def test_images_without_a_row_are_only_mentioned(own_config: Config, progress) -> None:
    edit_metadata(own_config, lambda rows: rows[1:])
    prepare(own_config, progress)
    assert progress.warnings == ["images without a metadata row: 1 (SYN_0000001)"]


def test_a_lesion_with_two_diagnoses_is_mentioned(own_config: Config, progress) -> None:
    def conflict(rows: list[str]) -> list[str]:
        cells = rows[0].split(",")
        other = "mel" if cells[2] != "mel" else "nv"
        return [*rows, ",".join([cells[0], "extra", other, *cells[3:]])]

    path = raw_of(own_config) / ARCHIVES[0]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("extra.jpg", archive.read("SYN_0000001.jpg"))
    edit_metadata(own_config, conflict)
    prepared = prepare(own_config, progress).prepared
    assert progress.warnings == ["lesions with more than one diagnosis: 1 (SYN_L_000001)"]
    assert len({(s.lesion_id, s.part) for s in prepared.samples}) == 120


def test_a_killed_prepare_leaves_nothing_and_succeeds_next(own_config: Config) -> None:
    own_config.data.image_size = 384
    code = (
        "import sys; from skincli.config.schema import Config; from skincli.data import prepare\n"
        "from skincli.progress import Silent\n"
        "c = Config(); c.data.source = 'synthetic'; c.data.root = sys.argv[1]\n"
        "c.data.synthetic.lesions = 120; c.data.image_size = 384; prepare(c, Silent())"
    )
    child = subprocess.Popen([sys.executable, "-c", code, own_config.data.root])
    folder = SetFolder.of(own_config.data).prepared
    while not list(folder.glob("*.partial/images.npy")):
        assert child.poll() is None
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert [path.suffix for path in folder.iterdir()] == [".partial"]
    result = prepare(own_config, Silent())
    assert result.created
    assert list(folder.iterdir()) == [result.prepared.folder]


def test_two_at_once_do_not_disturb_each_other(own_config: Config) -> None:
    code = (
        "import sys; from skincli.config.schema import Config; from skincli.data import prepare\n"
        "from skincli.progress import Silent\n"
        "c = Config(); c.data.source = 'synthetic'; c.data.root = sys.argv[1]\n"
        "c.data.synthetic.lesions = 120; print(prepare(c, Silent()).created)"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, own_config.data.root], stdout=-1, text=True)
        for _ in range(2)
    ]
    answers = sorted(child.communicate()[0].strip() for child in children)
    assert answers == ["False", "True"]


def test_macos_leftovers_in_an_archive_are_no_images(own_config: Config, progress) -> None:
    with zipfile.ZipFile(raw_of(own_config) / ARCHIVES[0], "a") as archive:
        archive.writestr("__MACOSX/._SYN_0000001.jpg", b"x")
    refresh_record(own_config)
    prepare(own_config, progress)
    assert progress.warnings == []


def test_the_config_given_is_not_changed(synthetic_config: Config) -> None:
    before = copy.deepcopy(synthetic_config)
    prepare(synthetic_config, Silent())
    assert synthetic_config == before

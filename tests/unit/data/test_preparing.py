import copy
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data_sets import add_image, edit_metadata, raw_of, refresh_record, rewrite_archive

from skincli.config.schema import Config
from skincli.data import PARTS, PreparedSet, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.storage import SetFolder
from skincli.errors import DataError
from skincli.imaging import Limits, read_input
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSIS_CODES


def fingerprints(prepared: PreparedSet) -> tuple[str, str, str]:
    manifest = prepared.manifest
    return (
        manifest.dataset_fingerprint,
        manifest.split_fingerprint,
        manifest.test_fingerprint,
    )


def test_rows_hold_what_the_network_would_see_of_each_image(synthetic_config: Config) -> None:
    prepared = prepare(synthetic_config, Silent()).prepared
    raw, limits = raw_of(synthetic_config), Limits.of(synthetic_config.image)
    assert prepared.images.shape == (len(prepared.samples), 32, 32, 3)
    with zipfile.ZipFile(raw / ARCHIVES[1]) as archive:
        for row, sample in enumerate(prepared.samples):
            if f"{sample.image_id}.jpg" in archive.namelist():
                data = archive.read(f"{sample.image_id}.jpg")
                expected = read_input(data, 32, "center", limits)
                assert np.array_equal(prepared.images[np.array([row])][0], expected)


def test_every_image_and_every_lesion_has_one_part(synthetic_config: Config) -> None:
    prepared = prepare(synthetic_config, Silent()).prepared
    parts = {(sample.lesion_id, sample.part) for sample in prepared.samples}
    assert len(parts) == prepared.manifest.n_lesions == 120
    rows = np.concatenate([prepared.rows(part) for part in PARTS])
    assert sorted(rows) == list(range(len(prepared.samples)))
    counts = {part: len(prepared.rows(part)) for part in PARTS}
    assert {k: sum(v.values()) for k, v in prepared.manifest.counts.items()} == counts


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


@pytest.mark.parametrize("name", ["images.npy", "images.csv", "chunks.txt"])
def test_a_damaged_pack_is_made_again(own_config: Config, name: str) -> None:
    first = prepare(own_config, Silent()).prepared
    rows = np.arange(len(first.samples))
    images, path = first.images[rows], first.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = prepare(own_config, Silent())
    assert again.created
    assert again.split == prepare(own_config, Silent()).split
    assert np.array_equal(again.prepared.images[rows], images)


def test_the_manifest_lies_beside_the_images(own_config: Config) -> None:
    prepared = prepare(own_config, Silent()).prepared
    content = json.loads((prepared.folder / "manifest.json").read_text())
    assert content["split_fingerprint"] == prepared.manifest.split_fingerprint
    assert content["verified"] is True


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


def test_what_cannot_be_used_is_left_out_and_listed(own_config: Config, progress) -> None:
    bad = {"SYN_0000002.jpg": b"", "SYN_0000003.jpg": None, "SYN_0000005.jpg": b"not an image"}
    rewrite_archive(own_config, bad.get)
    before = len((raw_of(own_config) / METADATA).read_text().splitlines()) - 1
    manifest = prepare(own_config, progress).prepared.manifest
    assert (manifest.n_rejected, manifest.n_images) == (3, before - 3)
    (warning,) = progress.warnings
    assert warning.startswith(f"3 rows left out, {before - 3} used; listed in")
    assert "image missing: 1 (line 4: SYN_0000003)" in warning
    assert "image cannot be read: 2 (line 3: the file is empty; line 6: this is not" in warning
    table = SetFolder.of(own_config.data).rejected.read_text().splitlines()
    assert table[1] == "4,SYN_0000003,image missing,"
    assert len(table) == 4


def test_a_flipped_bit_in_an_archive_is_caught(own_config: Config, progress) -> None:
    path = raw_of(own_config) / ARCHIVES[0]
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    own_config.data.strict = True
    with pytest.raises(DataError, match=r"image cannot be read: 1 \(line 2: .*CRC"):
        prepare(own_config, Silent())
    assert not SetFolder.of(own_config.data).prepared.exists()


def test_images_without_a_row_are_only_mentioned(own_config: Config, progress) -> None:
    edit_metadata(own_config, lambda rows: rows[1:])
    prepare(own_config, progress)
    assert progress.warnings == ["images without a metadata row: 1 (SYN_0000001)"]
    prepare(own_config, progress)
    assert len(progress.warnings) == 1


def test_a_lesion_with_two_diagnoses_is_mentioned(own_config: Config, progress) -> None:
    row = (raw_of(own_config) / METADATA).read_text().splitlines()[1].split(",")
    with zipfile.ZipFile(raw_of(own_config) / ARCHIVES[0]) as archive:
        data = archive.read("SYN_0000001.jpg")
    other = "mel" if row[2] != "mel" else "nv"
    add_image(own_config, raw_of(own_config) / ARCHIVES[0], "extra", row[0], other, data)
    prepared = prepare(own_config, progress).prepared
    assert "lesions with more than one diagnosis: 1 (SYN_L_000001)" in progress.notes
    assert len({(s.lesion_id, s.part) for s in prepared.samples}) == 120


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

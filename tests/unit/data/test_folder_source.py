"""A user's own images: a CSV with columns of any name, or a folder for each class."""

import copy
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from clinic import encode, jpeg, open_clinic, picture

from skincli.config.schema import Config
from skincli.data import describe, fetch, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.storage import SetFolder, read_csv
from skincli.errors import DataError
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSES, DIAGNOSIS_CODES


@pytest.fixture
def folder_config(synthetic_config: Config, tmp_path: Path) -> Config:
    """The drawn images in subfolders; other column names, ids with a suffix, no age."""
    raw = SetFolder.of(synthetic_config.data).raw
    images = tmp_path / "mine"
    for archive in ARCHIVES:
        with zipfile.ZipFile(raw / archive) as stream:
            stream.extractall(images / Path(archive).stem)
    rows = [line.split(",") for line in (raw / METADATA).read_text().splitlines()[1:]]
    lines = [f"{cells[1]}.jpg;{cells[0]};{cells[2].upper()}" for cells in rows]
    metadata = tmp_path / "mine.csv"
    metadata.write_text("\ufeffFile;patient spot;Diagnosis\n" + "\n".join(lines) + "\n")
    config = Config()
    config.data.source = "folder"
    config.data.name = "clinic"
    config.data.root = str(tmp_path / "data")
    config.data.image_size = 32
    config.data.parts = copy.deepcopy(synthetic_config.data.parts)
    config.data.folder.images = str(images)
    config.data.folder.metadata = str(metadata)
    config.data.folder.licence = "internal"
    columns = config.data.folder.columns
    columns.image_id, columns.lesion_id, columns.dx = "file", "Patient Spot", "diagnosis"
    return config


@pytest.fixture
def class_config(tmp_path: Path) -> Config:
    """A folder for each of the seven, under its code or its name."""
    config = Config()
    config.data.source = "folder"
    config.data.root = str(tmp_path / "data")
    config.data.image_size = 32
    config.data.folder.images = str(tmp_path / "mine")
    names = ["AKIEC", "basal cell carcinoma", "bkl", "df", "Melanoma", "Melanocytic_Nevus", "vasc"]
    for seed, name in enumerate(names):
        folder = tmp_path / "mine" / name / "2024"
        folder.mkdir(parents=True)
        for view in range(2):
            (folder / f"{DIAGNOSIS_CODES[seed]}{view}.jpg").write_bytes(jpeg(10 * seed + view))
    return config


def an_image(config: Config) -> Path:
    assert config.data.folder.images is not None
    return next(Path(config.data.folder.images).rglob("SYN_0000001.jpg"))


def test_files_stay_where_they_are(folder_config: Config, synthetic_config: Config) -> None:
    result = fetch(folder_config, Silent())
    assert result.created
    assert [path.name for path in result.folder.iterdir()] == ["source.json"]
    assert not fetch(folder_config, Silent()).created
    prepared = prepare(folder_config, Silent()).prepared
    manifest = prepared.manifest
    assert (manifest.name, manifest.source, manifest.licence) == ("clinic", "folder", "internal")
    drawn = prepare(synthetic_config, Silent()).prepared
    assert manifest.dataset_fingerprint == drawn.manifest.dataset_fingerprint
    assert manifest.split_fingerprint == drawn.manifest.split_fingerprint
    assert {sample.age for sample in prepared.samples} == {None}


def test_a_changed_image_is_noticed(folder_config: Config) -> None:
    fetch(folder_config, Silent())
    first = prepare(folder_config, Silent()).prepared.manifest
    path = an_image(folder_config)
    path.write_bytes(path.read_bytes() + b"\0")
    second = prepare(folder_config, Silent())
    assert second.created
    assert second.prepared.manifest.dataset_fingerprint != first.dataset_fingerprint


def test_a_touched_image_is_hashed_again_but_not_decoded(folder_config: Config) -> None:
    fetch(folder_config, Silent())
    prepare(folder_config, Silent())
    os.utime(an_image(folder_config))
    assert not prepare(folder_config, Silent()).created


def test_two_files_of_one_name_are_left_out(folder_config: Config, progress) -> None:
    path = an_image(folder_config)
    (path.parent.parent / path.name).write_bytes(path.read_bytes())
    fetch(folder_config, Silent())
    prepare(folder_config, progress)
    assert "several image files of that name: 1 (line 2: SYN_0000001)" in progress.warnings[0]


def test_folders_are_classes_by_code_or_name(class_config: Config, progress) -> None:
    assert fetch(class_config, Silent()).n_images == 14
    prepared = prepare(class_config, progress).prepared
    assert progress.warnings == []
    assert {(s.image_id.rpartition("/")[2], s.dx) for s in prepared.samples} == {
        (f"{dx.code}{view}", dx.code) for dx in DIAGNOSES for view in range(2)
    }
    assert all(s.lesion_id == s.image_id for s in prepared.samples)


def test_folders_may_repeat_the_names_of_files(class_config: Config, progress) -> None:
    folder = Path(class_config.data.folder.images or "")
    for number, dx in enumerate(("bkl", "df")):
        (folder / dx / "1.jpg").write_bytes(jpeg(70 + number))
    fetch(class_config, Silent())
    samples = prepare(class_config, progress).prepared.samples
    assert {(s.image_id, s.dx) for s in samples} >= {("bkl/1", "bkl"), ("df/1", "df")}
    assert progress.warnings == []


def test_folders_of_no_known_class_are_left_out_by_name(class_config: Config, progress) -> None:
    wart = Path(class_config.data.folder.images or "") / "Wart"
    wart.mkdir()
    for name in ("w1", "w2"):
        (wart / f"{name}.jpg").write_bytes(jpeg(len(name)))
    fetch(class_config, Silent())
    assert prepare(class_config, progress).prepared.manifest.n_images == 14
    assert progress.warnings[0].splitlines()[1:] == [
        "  diagnosis not one of akiec bcc bkl df mel nv vasc: 2 (Wart/w1: Wart; Wart/w2: Wart)"
    ]
    rejected = read_csv(SetFolder.of(class_config.data).rejected)
    assert {row["line"] for row in rejected} == {"0"}


def test_one_image_in_two_formats_is_ambiguous(class_config: Config, progress) -> None:
    folder = Path(class_config.data.folder.images or "") / "bkl"
    for kind, suffix in (("JPEG", "jpg"), ("PNG", "png")):
        (folder / f"x.{suffix}").write_bytes(encode(picture(5), kind))
    fetch(class_config, Silent())
    assert prepare(class_config, progress).prepared.manifest.n_images == 14
    assert "image listed twice: 1 (bkl/x)" in progress.warnings[0]
    assert "several image files of that name: 1 (bkl/x)" in progress.warnings[0]


def test_class_folders_without_images_are_refused(class_config: Config, tmp_path: Path) -> None:
    class_config.data.folder.images = str(tmp_path / "empty")
    (tmp_path / "empty" / "mel").mkdir(parents=True)
    with pytest.raises(DataError, match="hold no images"):
        fetch(class_config, Silent())


def test_dicom_files_are_images_like_others(tmp_path: Path, progress) -> None:
    pydicom = pytest.importorskip("pydicom")
    pixels = np.asarray(picture(40))
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 36, 48, 3
    dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = pixels.tobytes()
    clinic = open_clinic(tmp_path)
    dataset.save_as(clinic.images / "scan.dcm", enforce_file_format=True)
    clinic.add("scan.dcm", (clinic.images / "scan.dcm").read_bytes(), "mel")
    clinic.add("cut.dcm", (clinic.images / "scan.dcm").read_bytes()[:-2000])
    clinic.add("plain.png", encode(picture(40), "PNG"))
    prepared = clinic.prepare(progress).prepared
    rows = {sample.image_id: row for row, sample in enumerate(prepared.samples)}
    assert (prepared.images[rows["scan"]] == prepared.images[rows["plain"]]).all()
    assert [(line, image_id) for line, image_id, *_ in clinic.rejected] == [("10", "cut")]


def test_settings_that_are_missing_are_named() -> None:
    config = Config()
    config.data.source = "folder"
    with pytest.raises(DataError) as caught:
        fetch(config, Silent())
    assert "data.folder.images=FOLDER" in caught.value.hint


@pytest.mark.parametrize("key", ["images", "metadata"])
def test_paths_that_do_not_exist_are_named(folder_config: Config, key: str) -> None:
    setattr(folder_config.data.folder, key, "nowhere")
    with pytest.raises(DataError, match=f"data.folder.{key}: there is no .* `nowhere`"):
        fetch(folder_config, Silent())


def test_another_folder_asks_for_another_fetch(folder_config: Config, tmp_path: Path) -> None:
    fetch(folder_config, Silent())
    (tmp_path / "other").mkdir()
    folder_config.data.folder.images = str(tmp_path / "other")
    with pytest.raises(DataError, match="fetched with other settings") as caught:
        prepare(folder_config, Silent())
    assert "skincli data fetch data=folder" in caught.value.hint


def test_it_is_described_without_decoding(folder_config: Config) -> None:
    fetch(folder_config, Silent())
    info = describe(folder_config)
    assert info.prepared is None
    assert info.missing["age"] == info.n_images
    prepared = prepare(folder_config, Silent()).prepared
    info = describe(folder_config)
    assert info.prepared == prepared.manifest
    assert info.prepared_folder == prepared.folder
    assert info.parts == prepared.manifest.counts

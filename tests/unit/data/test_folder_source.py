import os
import zipfile
from pathlib import Path

import pytest

from skincli.config.schema import Config
from skincli.data import describe, fetch, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.data.storage import SetFolder
from skincli.errors import DataError
from skincli.progress import Silent


@pytest.fixture
def folder_config(synthetic_config: Config, tmp_path: Path) -> Config:
    """A user's own folder: subfolders, other column names, ids with a suffix, no age."""
    raw = SetFolder.of(synthetic_config.data).raw
    images = tmp_path / "mine"
    for archive in ARCHIVES:
        with zipfile.ZipFile(raw / archive) as stream:
            stream.extractall(images / Path(archive).stem)
    rows = [line.split(",") for line in (raw / METADATA).read_text().splitlines()[1:]]
    lines = [f"{cells[1]}.jpg,{cells[0]},{cells[2].upper()}" for cells in rows]
    metadata = tmp_path / "mine.csv"
    metadata.write_text("\ufefffile,patient spot,diagnosis\n" + "\n".join(lines) + "\n")
    config = Config()
    config.data.source = "folder"
    config.data.name = "clinic"
    config.data.root = str(tmp_path / "data")
    config.data.image_size = 32
    config.data.folder.images = str(images)
    config.data.folder.metadata = str(metadata)
    config.data.folder.licence = "internal"
    columns = config.data.folder.columns
    columns.image_id, columns.lesion_id, columns.dx = "file", "patient spot", "diagnosis"
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


def test_two_files_of_one_name_are_a_problem(folder_config: Config) -> None:
    path = an_image(folder_config)
    (path.parent.parent / path.name).write_bytes(path.read_bytes())
    fetch(folder_config, Silent())
    with pytest.raises(DataError, match="several image files of that name: 1"):
        prepare(folder_config, Silent())


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

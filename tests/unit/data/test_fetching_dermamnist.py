"""DermaMNIST's files from Zenodo, by variant and size."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from standins.faults import WRONG, answers, cut
from standins.zenodo import Zenodo

from skincli.config.data import DermamnistConfig
from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.download import zenodo as published
from skincli.errors import DataError, SkincliError
from skincli.progress import Silent

OFFICIAL, CORRECTED = 10519652, 11101338


def write_npz(path: Path, size: int, count: int) -> None:
    rng = np.random.default_rng(size)
    arrays = {}
    for part, n in (("train", count), ("val", 4), ("test", 6)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = rng.integers(0, 7, (n, 1), dtype=np.uint8)
    np.savez_compressed(path, **arrays)


@pytest.fixture
def zenodo(tmp_path: Path) -> Iterator[Zenodo]:
    folders = {OFFICIAL: tmp_path / "official", CORRECTED: tmp_path / "corrected"}
    for folder in folders.values():
        folder.mkdir()
    write_npz(folders[OFFICIAL] / "dermamnist.npz", 28, 10)
    write_npz(folders[OFFICIAL] / "dermamnist_64.npz", 64, 11)
    write_npz(folders[CORRECTED] / "dermamnist_corrected_224.npz", 224, 2)
    write_npz(folders[CORRECTED] / "dermamnist_extended_224.npz", 224, 3)
    with Zenodo(folders) as server:
        yield server


@pytest.fixture
def zenodo_config(zenodo: Zenodo, tmp_path: Path) -> Config:
    config = Config()
    config.data.source, config.data.split = "dermamnist", "official"
    config.data.root = str(tmp_path / "data")
    config.data.download.zenodo = zenodo.url
    return config


@pytest.mark.parametrize(
    ("variant", "size", "record", "name", "n_images"),
    [
        ("official", 28, OFFICIAL, "dermamnist.npz", 20),
        ("official", 64, OFFICIAL, "dermamnist_64.npz", 21),
        ("corrected", 224, CORRECTED, "dermamnist_corrected_224.npz", 12),
        ("extended", 224, CORRECTED, "dermamnist_extended_224.npz", 13),
    ],
)
def test_the_file_of_a_variant_and_size_is_fetched(
    zenodo_config: Config, zenodo: Zenodo, variant, size: int, record: int, name: str, n_images: int
) -> None:
    zenodo_config.data.dermamnist = DermamnistConfig(variant=variant, size=size)
    result = fetch(zenodo_config, Silent())
    assert (result.n_images, result.n_files, result.verified) == (n_images, 1, True)
    whole = (zenodo.records[record] / name).read_bytes()
    assert (result.folder / name).read_bytes() == whole
    found = json.loads((result.folder / "source.json").read_text())
    assert (found["licence"], found["origin"]) == (
        *("CC BY-NC 4.0", f"record {record} at {zenodo.url}"),
    )
    assert not fetch(zenodo_config, Silent()).created


def test_another_size_takes_the_place_of_the_first(zenodo_config: Config) -> None:
    fetch(zenodo_config, Silent())
    zenodo_config.data.dermamnist.size = 64
    result = fetch(zenodo_config, Silent())
    assert {path.name for path in result.folder.iterdir()} == {"dermamnist_64.npz", "source.json"}


def test_a_broken_transfer_goes_on(zenodo_config: Config, zenodo: Zenodo) -> None:
    name = "dermamnist.npz"
    zenodo.faults[name] = [WRONG, cut(5000), answers(429, "1"), answers(503)]
    result = fetch(zenodo_config, Silent())
    whole = (zenodo.records[OFFICIAL] / name).read_bytes()
    assert (result.folder / name).read_bytes() == whole
    assert zenodo.sent(name) == 2 * len(whole)


def test_without_the_list_the_published_address_and_md5_serve(
    zenodo_config: Config, zenodo: Zenodo, monkeypatch: pytest.MonkeyPatch, progress
) -> None:
    zenodo.faults["list"] = [answers(503)] * 3
    with pytest.raises(DataError, match="differs from the MD5"):
        fetch(zenodo_config, progress)
    assert any("no list of files" in text for text in progress.warnings)
    whole = (zenodo.records[OFFICIAL] / "dermamnist.npz").read_bytes()
    monkeypatch.setitem(published.PUBLISHED, "dermamnist.npz", hashlib.md5(whole).hexdigest())
    zenodo.faults["list"] = [answers(503)] * 3
    assert fetch(zenodo_config, Silent()).verified
    assert zenodo.of("dermamnist.npz")[-1].target == (
        f"/records/{OFFICIAL}/files/dermamnist.npz?download=1"
    )


def test_a_mirror_serves_it_too(zenodo_config: Config, zenodo: Zenodo) -> None:
    zenodo_config.data.mirror = str(zenodo.records[OFFICIAL])
    result = fetch(zenodo_config, Silent())
    assert (result.n_images, result.verified) == (20, False)
    assert not zenodo.asked


def test_without_a_network_the_server_is_named(zenodo_config: Config) -> None:
    zenodo_config.data.download.zenodo = "http://127.0.0.1:1"
    with pytest.raises(SkincliError, match=r"127\.0\.0\.1:1 cannot be reached"):
        fetch(zenodo_config, Silent())

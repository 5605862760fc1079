"""DermaMNIST's own parts: kept as published, and never taken for more than they are."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skincli.config.load import load_config
from skincli.config.schema import Config
from skincli.data import check, prepare
from skincli.data.raw import RawFile, SourceRecord, settings_of, write_record
from skincli.data.storage import SetFolder
from skincli.data.synthetic.drawing import draw_lesion, photograph
from skincli.progress import Silent

SIZES = {"train": 30, "val": 24, "test": 12}


def drawn(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = Image.open(io.BytesIO(photograph(draw_lesion("nv", rng), rng)))
    return np.asarray(picture.convert("RGB").resize((28, 28)))


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """A file in the published layout, of drawn images; one test image is also a training image."""
    found: dict[str, np.ndarray] = {}
    seed = 0
    for part, count in SIZES.items():
        found[f"{part}_images"] = np.stack([drawn(seed + n) for n in range(count)])
        found[f"{part}_labels"] = np.arange(count).reshape(-1, 1) % 7
        seed += count
    found["test_images"][3] = found["train_images"][5]
    return found


@pytest.fixture
def config(arrays: dict[str, np.ndarray], tmp_path: Path) -> Config:
    config = load_config(["data=dermamnist", f"data.root={tmp_path}"], environ={}).config
    raw = SetFolder.of(config.data).raw
    raw.mkdir(parents=True)
    np.savez_compressed(raw / "dermamnist.npz", **arrays)  # type: ignore[arg-type]
    record = SourceRecord(
        source="dermamnist",
        origin="drawn for a test",
        licence="CC BY-NC 4.0",
        synthetic=True,
        verified=False,
        settings=settings_of(config.data),
        files={"dermamnist.npz": RawFile((raw / "dermamnist.npz").stat().st_size, "")},
    )
    write_record(raw, record)
    return config


def test_the_group_asks_for_the_official_split() -> None:
    data = load_config(["data=dermamnist"], environ={}).config.data
    assert (data.split, data.image_size, data.crop) == ("official", 28, "whole")


def test_images_and_parts_are_those_of_the_file(
    config: Config, arrays: dict[str, np.ndarray], progress
) -> None:
    prepared = prepare(config, progress).prepared
    assert len(prepared.rows("train")) == SIZES["train"]
    assert len(prepared.rows("test")) == SIZES["test"]
    halves = len(prepared.rows("validation")), len(prepared.rows("calibration"))
    assert sum(halves) == SIZES["val"]
    assert min(halves) > 0
    assert np.array_equal(prepared.images[prepared.rows("test")], arrays["test_images"])
    labels = prepared.labels("multiclass")[prepared.rows("train")]
    assert labels.tolist() == arrays["train_labels"].ravel().tolist()
    assert prepared.manifest.split == "official"


def test_leaks_are_warnings_that_travel_with_the_set(config: Config, progress) -> None:
    manifest = prepare(config, progress).prepared.manifest
    assert "44 % of the test images share a lesion with training" in manifest.warnings[0]
    assert manifest.warnings[1] == "1 picture lies in more than one official part"
    assert set(manifest.warnings) <= set(progress.warnings)
    result = check(config, Silent())
    assert result.leaks == ()
    assert "train_00005" in result.warnings[0]
    assert "test_00003" in result.warnings[0]

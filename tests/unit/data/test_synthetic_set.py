import copy
import csv
import io
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skincli.config.schema import Config
from skincli.data import describe, fetch
from skincli.data.raw import ARCHIVES, FILES, METADATA
from skincli.data.storage import SetFolder
from skincli.data.synthetic.draw import lesion_counts
from skincli.data.synthetic.drawing import draw_lesion, photograph
from skincli.progress import Silent
from skincli.taxonomy import DIAGNOSIS_CODES


def raw_of(config: Config) -> Path:
    return SetFolder.of(config.data).raw


def test_it_has_the_published_layout(synthetic_config: Config) -> None:
    raw = raw_of(synthetic_config)
    assert {path.name for path in raw.iterdir()} == {*FILES, "source.json"}
    with (raw / METADATA).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset",
    ]  # fmt: skip
    names = [name for part in ARCHIVES for name in zipfile.ZipFile(raw / part).namelist()]
    assert names == [f"{row['image_id']}.jpg" for row in rows]
    assert {row["dataset"] for row in rows} == {"synthetic"}
    assert all(row["image_id"].startswith("SYN_") for row in rows)


def test_images_are_200_by_150_jpegs(synthetic_config: Config) -> None:
    with zipfile.ZipFile(raw_of(synthetic_config) / ARCHIVES[0]) as archive:
        image = Image.open(io.BytesIO(archive.read(archive.namelist()[0])))
    assert (image.format, image.size, image.mode) == ("JPEG", (200, 150), "RGB")


def test_lesions_have_one_to_three_views_of_one_diagnosis(synthetic_config: Config) -> None:
    with (raw_of(synthetic_config) / METADATA).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    views = Counter(row["lesion_id"] for row in rows)
    assert len(views) == synthetic_config.data.synthetic.lesions
    assert set(views.values()) == {1, 2, 3}
    diagnoses = defaultdict(set)
    for row in rows:
        diagnoses[row["lesion_id"]].add((row["dx"], row["age"], row["sex"]))
    assert all(len(found) == 1 for found in diagnoses.values())


def test_the_same_seed_and_count_give_the_same_bytes(
    synthetic_config: Config, tmp_path: Path
) -> None:
    again = copy.deepcopy(synthetic_config)
    again.data.root = str(tmp_path)
    fetch(again, Silent())
    for name in FILES:
        assert (raw_of(again) / name).read_bytes() == (raw_of(synthetic_config) / name).read_bytes()


def test_another_seed_gives_other_images() -> None:
    first, second = (
        photograph(draw_lesion("nv", rng), rng)
        for rng in (np.random.default_rng([1, 0]), np.random.default_rng([2, 0]))
    )
    assert first != second


def test_it_says_that_it_is_drawn(synthetic_config: Config) -> None:
    info = describe(synthetic_config)
    assert (info.synthetic, info.licence) == (True, "synthetic")
    assert info.origin == "drawn by skincli (seed 7)"


@pytest.mark.parametrize("total", [70, 120, 900, 5000])
def test_every_diagnosis_has_its_share(total: int) -> None:
    counts = lesion_counts(total)
    assert sum(counts.values()) == total
    assert min(counts.values()) >= max(4, 0.055 * total)
    assert max(counts, key=counts.__getitem__) == "nv"


def test_diagnoses_differ_in_colour_but_lesions_vary() -> None:
    """Mean colour alone tells some classes apart (vasc is red), and no class is one picture."""
    centres = {}
    for dx in DIAGNOSIS_CODES:
        rngs = [np.random.default_rng([5, index]) for index in range(12)]
        pictures = np.stack([np.asarray(draw_lesion(dx, rng), dtype=float) for rng in rngs])
        middle = pictures[:, 80:140, 80:140].mean(axis=(1, 2))
        assert middle.std(axis=0).min() > 3
        centres[dx] = middle.mean(axis=0)
    redness = {dx: colour[0] - colour[1] for dx, colour in centres.items()}
    brightness = {dx: colour.mean() for dx, colour in centres.items()}
    assert max(redness, key=redness.__getitem__) == "vasc"
    assert min(brightness, key=brightness.__getitem__) in {"mel", "vasc"}
    assert max(brightness, key=brightness.__getitem__) in {"df", "bcc", "akiec"}

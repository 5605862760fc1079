from pathlib import Path

from skincli.config.schema import Config
from skincli.data import PARTS, describe, fetch, prepare
from skincli.progress import Silent


def test_the_published_set_is_fetched_split_and_prepared(real_data: Path, tmp_path: Path) -> None:
    config = Config()
    config.data.root = str(tmp_path)
    config.data.mirror = str(real_data / "ham10000-200x150")
    config.data.image_size = 32
    assert fetch(config, Silent()).n_images == 10_015
    prepared = prepare(config, Silent()).prepared
    manifest = prepared.manifest
    assert (manifest.n_images, manifest.n_lesions) == (10_015, 7_470)
    assert (manifest.licence, manifest.synthetic, manifest.verified) == (
        "CC BY-NC 4.0",
        False,
        False,
    )
    assert len({(sample.lesion_id, sample.part) for sample in prepared.samples}) == 7_470
    lesions = {
        part: len({prepared.samples[r].lesion_id for r in prepared.rows(part)}) for part in PARTS
    }
    shares = {part: round(count / 7_470, 2) for part, count in lesions.items()}
    assert shares == {"train": 0.70, "validation": 0.10, "calibration": 0.08, "test": 0.12}
    assert sum(sample.age is None for sample in prepared.samples) == 57
    assert prepared.images.std() > 10
    assert describe(config).lesions_by_dx == {
        "nv": 5403, "bkl": 727, "mel": 614, "bcc": 327, "akiec": 228, "vasc": 98, "df": 73,
    }  # fmt: skip
    assert not prepare(config, Silent()).created

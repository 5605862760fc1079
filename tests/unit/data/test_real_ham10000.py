from pathlib import Path

import pytest

from skincli.config.schema import Config
from skincli.data import PARTS, check, describe, fetch, prepare
from skincli.progress import Silent

_IMAGES = {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}


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
    for part, count in lesions.items():
        share = getattr(config.data.parts, part)
        assert count / 7_470 == pytest.approx(share, rel=0.08)
        for dx, images in manifest.counts[part].items():
            assert images == pytest.approx(share * _IMAGES[dx], rel=0.25), (part, dx)
    found = check(config, Silent())
    assert (found.leaks, found.n_duplicates_across, found.n_quarantined) == ((), 1, 0)
    assert sum(sample.age is None for sample in prepared.samples) == 57
    assert prepared.images[prepared.rows("test")].std() > 10
    assert describe(config).lesions_by_dx == {
        "nv": 5403, "bkl": 727, "mel": 614, "bcc": 327, "akiec": 228, "vasc": 98, "df": 73,
    }  # fmt: skip
    assert not prepare(config, Silent()).created

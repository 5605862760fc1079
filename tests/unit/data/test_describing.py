from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from skincli.config.schema import Config
from skincli.data import describe, fetch, prepare
from skincli.data.records import DataInfo, DuplicatePair, Rejected
from skincli.data.seeing.cautions import cautions
from skincli.data.seeing.contents import open_contents
from skincli.data.seeing.describing import summarise
from skincli.errors import DataError
from skincli.progress import Silent


@pytest.fixture(scope="module")
def info(synthetic_config: Config) -> DataInfo:
    return describe(synthetic_config)


def test_counts_agree_with_each_other(info: DataInfo) -> None:
    assert info.n_lesions == 120 == sum(info.lesions_by_dx.values())
    tables = (
        info.images_by_dx, info.by_sex, info.by_age, info.by_localization, info.by_dx_type,
        info.by_dataset,
    )  # fmt: skip
    for table in tables:
        assert sum(table.values()) == info.n_images
    for dx, count in info.images_by_dx.items():
        assert sum(counts[dx] for counts in info.parts.values()) == count
        assert sum(info.dx_type_by_dx[dx].values()) == count
    assert list(info.images_by_dx.values()) == sorted(info.images_by_dx.values(), reverse=True)
    assert info.missing["age"] == info.by_age.get("unknown", 0)
    assert info.missing["localization"] == info.by_localization["unknown"]
    assert info.dx_by_dataset == {"synthetic": info.images_by_dx}


def test_lesions_are_counted_by_their_number_of_images(info: DataInfo) -> None:
    assert set(info.images_per_lesion) == {1, 2, 3}
    assert sum(info.images_per_lesion.values()) == info.n_lesions
    assert sum(n * count for n, count in info.images_per_lesion.items()) == info.n_images


def test_the_parts_are_those_that_prepare_makes(synthetic_config: Config) -> None:
    counts = prepare(synthetic_config, Silent()).prepared.manifest.counts
    assert describe(synthetic_config).parts == counts


def test_however_nothing_is_spelled_it_is_unknown(synthetic_config: Config) -> None:
    with open_contents(synthetic_config) as contents:
        spelled = ("", "Unknown", "N/A", "nan")
        rows = [replace(row, sex=spelled[i % 4]) for i, row in enumerate(contents.rows)]
        info = summarise(replace(contents, rows=rows))
    assert info.by_sex == {"unknown": info.n_images}
    assert info.missing["sex"] == info.n_images


def test_what_was_left_out_and_found_twice_is_counted(synthetic_config: Config) -> None:
    rejected = [Rejected(i, f"x{i}", "image missing" if i % 3 else "age", "") for i in range(7)]
    pairs = [DuplicatePair("a", "b", "l", lesion, "near", 1.0) for lesion in ("l", "m", "n")]
    with open_contents(synthetic_config) as contents:
        info = summarise(replace(contents, rejected=rejected, duplicates=pairs))
    assert info.rejected == {"image missing": 4, "age": 3}
    assert info.duplicates == {"within lesions": 1, "across lesions": 2}
    assert "Rows left out: 7 (image missing 4, age 3)." in info.cautions
    assert "Pairs of the same picture under different lesion ids: 2." in info.cautions


def test_a_source_that_gives_the_diagnosis_away_is_named(synthetic_config: Config) -> None:
    with open_contents(synthetic_config) as contents:
        rows = [replace(r, dataset="mole" if r.dx == "nv" else "mix") for r in contents.rows]
        rows[0] = replace(rows[0], dx="mel", dataset="mole")
        info = summarise(replace(contents, rows=rows))
    moles = info.by_dataset["mole"]
    said = f"mole: {moles - 1:,} of its {moles:,} images are nv"
    assert any(said in caution for caution in info.cautions)
    assert info.confounding is not None
    assert info.confounding.cramers_v > 0.9


def test_cautions_speak_of_what_is_there(info: DataInfo) -> None:
    spoken = " ".join(info.cautions)
    assert "The images are drawn" in spoken
    assert "Fewer than 50 lesions: bkl" in spoken
    assert "dark skin" not in spoken
    real = replace(
        info, synthetic=False, source="ham10000", missing=dict.fromkeys(info.missing, 0),
        lesions_by_dx=dict.fromkeys(info.lesions_by_dx, 50), verified=False,
        dx_type_by_dx={"nv": {"histo": 1, "follow_up": 3}, "mel": {"histo": 9}},
    )  # fmt: skip
    spoken = " ".join(cautions(real))
    assert "Not confirmed by histopathology: nv 75% of their images." in spoken
    assert "not checked against known checksums" in spoken
    assert "holds almost no dark skin" in spoken
    for absent in ("drawn", "Fewer than", "Missing", "hints at"):
        assert absent not in spoken


def test_nothing_fetched(tmp_path: Path) -> None:
    config = Config()
    config.data.root = str(tmp_path)
    with pytest.raises(DataError, match="no data"):
        describe(config)


def test_nothing_that_can_be_used(tmp_path: Path) -> None:
    picture = tmp_path / "own" / "no diagnosis" / "a.png"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(picture)
    config = Config()
    config.data.root = str(tmp_path / "data")
    config.data.source = "folder"
    config.data.folder.images = str(tmp_path / "own")
    fetch(config, Silent())
    with pytest.raises(DataError, match="no image that can be used"):
        describe(config)

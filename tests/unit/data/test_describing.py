from pathlib import Path

import pytest

from skincli.config.schema import Config
from skincli.data import describe, prepare
from skincli.errors import DataError
from skincli.progress import Silent


def test_counts_agree_with_each_other(synthetic_config: Config) -> None:
    info = describe(synthetic_config)
    assert info.n_lesions == 120 == sum(info.lesions_by_dx.values())
    tables = (
        info.images_by_dx, info.by_sex, info.by_age, info.by_localization, info.by_dx_type,
        info.by_dataset,
    )  # fmt: skip
    for table in tables:
        assert sum(table.values()) == info.n_images
    for dx, count in info.images_by_dx.items():
        assert sum(counts[dx] for counts in info.parts.values()) == count
    assert list(info.images_by_dx.values()) == sorted(info.images_by_dx.values(), reverse=True)
    assert info.missing["age"] == info.by_age.get("unknown", 0)
    assert info.missing["localization"] == info.by_localization["unknown"]


def test_the_parts_are_those_that_prepare_makes(synthetic_config: Config) -> None:
    counts = prepare(synthetic_config, Silent()).prepared.manifest.counts
    assert describe(synthetic_config).parts == counts


def test_nothing_fetched(tmp_path: Path) -> None:
    config = Config()
    config.data.root = str(tmp_path)
    with pytest.raises(DataError, match="no data"):
        describe(config)

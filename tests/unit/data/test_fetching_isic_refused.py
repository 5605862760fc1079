"""Searches of the ISIC Archive that come to nothing, and say why."""

import pytest
from standins.isic import Isic

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.errors import DataError, SkincliError
from skincli.progress import Silent


def test_a_search_for_nothing_is_refused(isic_config: Config) -> None:
    isic_config.data.isic.collections = []
    with pytest.raises(DataError, match="what to search for") as caught:
        fetch(isic_config, Silent())
    assert "data.isic.collections=[212]" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "collections", "told"),
    [("(", [212], "answers 400"), ("", [9], "finds no image")],
    ids=["not understood", "nothing found"],
)
def test_a_search_that_brings_nothing_is_refused(
    isic_config: Config, query: str, collections: list[int], told: str
) -> None:
    isic_config.data.isic.query, isic_config.data.isic.collections = query, collections
    with pytest.raises(DataError, match=told) as caught:
        fetch(isic_config, Silent())
    assert "data.isic.query" in caught.value.hint


def test_a_search_without_one_of_the_seven_is_refused(isic_config: Config, isic: Isic) -> None:
    for lesion in isic.lesions:
        lesion.clinical = {"diagnosis_1": "Benign"}
    with pytest.raises(DataError, match="none of the 25 images"):
        fetch(isic_config, Silent())


def test_an_id_that_leads_out_of_the_folder_is_refused(isic_config: Config, isic: Isic) -> None:
    isic.lesions[0].isic_id = "../../ISIC_0000000"
    with pytest.raises(DataError, match=r"gives an image the id `\.\./"):
        fetch(isic_config, Silent())


def test_without_the_archive_its_name_is_told(isic_config: Config) -> None:
    isic_config.data.download.isic = "http://127.0.0.1:1"
    with pytest.raises(SkincliError, match=r"127\.0\.0\.1:1 cannot be reached"):
        fetch(isic_config, Silent())

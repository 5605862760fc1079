"""HAM10000 from the server that publishes it, with that server's habits."""

import hashlib
import json
import logging
import zipfile
from pathlib import Path

import pytest
from standins.dataverse import Dataverse
from standins.faults import PAGE, answers
from standins.proxy import Proxy

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.download import dataverse as published
from skincli.data.download.client import KEY_VARIABLE
from skincli.data.download.dataverse import DataverseFile
from skincli.data.raw import ARCHIVES, FILES, ISIC2018, METADATA, SEGMENTATIONS
from skincli.errors import ConfigError, DataError, SkincliError
from skincli.progress import Silent

TOKEN = "11111111-2222-3333-4444-555555555555"


def test_everything_is_fetched_and_verified(
    dataverse_config: Config, dataverse: Dataverse, progress
) -> None:
    result = fetch(dataverse_config, progress)
    assert (result.created, result.verified, result.n_files) == (True, True, 3)
    assert result.n_images == len((dataverse.folder / METADATA).read_text().splitlines()) - 1
    for name in FILES:
        assert (result.folder / name).read_bytes() == (dataverse.folder / name).read_bytes()
    record = json.loads((result.folder / "source.json").read_text())
    assert record["origin"] == f"doi:10.7910/DVN/DBW86T at {dataverse.url}"
    assert any(f"{METADATA} is not the published file" in text for text in progress.warnings)
    asked = len(dataverse.asked)
    assert not fetch(dataverse_config, Silent()).created
    assert len(dataverse.asked) == asked


def test_requests_are_what_the_server_can_bear(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    fetch(dataverse_config, Silent())
    asked = [*dataverse.asked, *dataverse.storage.asked]
    assert {each.method for each in asked} == {"GET"}
    assert all("if-range" not in each.headers for each in asked)
    agents = {each.headers["user-agent"] for each in asked}
    assert len(agents) == 1
    assert agents.pop().startswith("skincli/")
    formats = {each.name: each.query.get("format") for each in dataverse.asked if each.name}
    assert formats == {ARCHIVES[0]: None, ARCHIVES[1]: None, METADATA: "original"}


def test_addresses_that_expire_are_asked_for_again(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.storage.seconds = -1  # expired when it arrives
    dataverse_config.data.download.attempts = 1
    with pytest.raises(SkincliError, match=r"the storage that .* names answers 403"):
        fetch(dataverse_config, Silent())
    dataverse.storage.seconds = 60
    assert fetch(dataverse_config, Silent()).verified


@pytest.mark.parametrize("fault", [answers(503), PAGE, answers(404)], ids=["503", "page", "404"])
def test_without_the_list_the_published_table_serves(
    dataverse_config: Config,
    dataverse: Dataverse,
    monkeypatch: pytest.MonkeyPatch,
    progress,
    fault,
) -> None:
    for name in FILES:
        md5 = hashlib.md5((dataverse.folder / name).read_bytes()).hexdigest()
        file = DataverseFile(
            published.PUBLISHED[name].id, md5, tabular=published.PUBLISHED[name].tabular
        )
        monkeypatch.setitem(published.PUBLISHED, name, file)
    dataverse.faults["list"] = [fault] * 3
    assert fetch(dataverse_config, progress).verified
    assert any("taking those of version 4.0" in text for text in progress.warnings)


def test_a_file_that_the_list_lacks_is_taken_from_the_table(
    dataverse_config: Config, dataverse: Dataverse, progress
) -> None:
    dataverse.unlisted = {METADATA}
    with pytest.raises(DataError, match=f"{METADATA} .* differs from the MD5"):
        fetch(dataverse_config, progress)
    assert any(f"list has no {METADATA}" in text for text in progress.warnings)


def test_an_installation_without_md5_verifies_nothing(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.gives_md5 = False
    assert not fetch(dataverse_config, Silent()).verified


def test_the_test_set_and_the_masks_are_fetched_along(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    first = fetch(dataverse_config, Silent())
    assert not first.included
    before = {name: dataverse.storage.sent(name) for name in ARCHIVES}
    dataverse_config.data.include = ["isic2018-test", "segmentations"]
    result = fetch(dataverse_config, Silent())
    assert {path.name for path in result.folder.iterdir()} == {
        *(*FILES, SEGMENTATIONS, "source.json")
    }
    assert {name: dataverse.storage.sent(name) for name in ARCHIVES} == before
    (included,) = result.included
    assert included.folder == Path(dataverse_config.data.root) / "isic2018" / "raw"
    assert {path.name for path in included.folder.iterdir()} == {*ISIC2018, "source.json"}
    assert (included.source, included.n_images, included.verified) == ("isic2018", 4, True)
    with zipfile.ZipFile(included.folder / ISIC2018[0]) as archive:
        assert len(archive.namelist()) == 4
    again = fetch(dataverse_config, Silent())
    assert not again.created
    assert not again.included[0].created
    dataverse_config.data.include = []
    assert not fetch(dataverse_config, Silent()).created  # the masks do no harm


def test_the_token_goes_to_dataverse_alone(
    dataverse_config: Config,
    dataverse: Dataverse,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dataverse.restricted, dataverse.key = {ARCHIVES[0]}, TOKEN
    with pytest.raises(DataError, match=f"refuses {ARCHIVES[0]}"):
        fetch(dataverse_config, Silent())
    monkeypatch.setenv(KEY_VARIABLE, TOKEN)
    with caplog.at_level(logging.DEBUG):
        result = fetch(dataverse_config, Silent())
    assert result.verified
    assert any(each.headers.get("x-dataverse-key") == TOKEN for each in dataverse.asked)
    assert dataverse.storage.asked
    assert not any(TOKEN in str(each) for each in dataverse.storage.asked)
    assert TOKEN not in caplog.text
    assert TOKEN not in (result.folder / "source.json").read_text()
    dataverse.key = "another"
    dataverse_config.data.root += "-again"
    with pytest.raises(DataError, match="refuses") as caught:
        fetch(dataverse_config, Silent())
    assert TOKEN not in f"{caught.value.message} {caught.value.hint}"


def test_a_token_that_is_none_is_refused_without_being_shown(
    dataverse_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "two words")
    with pytest.raises(ConfigError, match=KEY_VARIABLE) as caught:
        fetch(dataverse_config, Silent())
    assert "two words" not in caught.value.message


def test_a_proxy_of_the_environment_is_used(
    dataverse_config: Config, dataverse: Dataverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert fetch(dataverse_config, Silent()).verified
    assert {each.target.split("/")[2] for each in proxy.asked} == {
        *(dataverse.url.removeprefix("http://"), dataverse.storage.url.removeprefix("http://"))
    }


def test_a_proxy_that_cannot_be_used_is_named(
    dataverse_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://user:secret@127.0.0.1:1")
    with pytest.raises(ConfigError) as caught:
        fetch(dataverse_config, Silent())
    assert "HTTP_PROXY" in caught.value.hint
    assert "secret" not in caught.value.message


def test_without_a_network_the_server_is_named(dataverse_config: Config, progress) -> None:
    dataverse_config.data.download.dataverse = "http://127.0.0.1:1"
    with pytest.raises(SkincliError, match=r"127\.0\.0\.1:1 cannot be reached") as caught:
        fetch(dataverse_config, progress)
    assert not progress.warnings
    assert "data.mirror=" in caught.value.hint
    assert "data=synthetic" in caught.value.hint
    assert caught.value.exit_code == 1

"""What a careless client does not survive, one fault at a time, over real HTTP."""

import time
from pathlib import Path

import pytest
from standins.dataverse import Dataverse
from standins.faults import EMPTY, PAGE, WRONG, Fault, answers, cut, stall, unsized
from standins.mirror import Mirror

from skincli.config.schema import Config
from skincli.data import fetch
from skincli.data.raw import ARCHIVES, FILES, METADATA
from skincli.errors import DataError, SkincliError
from skincli.progress import Silent

NAME = ARCHIVES[0]


def assert_fetched(config: Config, dataverse: Dataverse) -> None:
    result = fetch(config, Silent())
    assert result.verified
    assert {path.name for path in result.folder.iterdir()} == {*FILES, "source.json"}
    for name in FILES:
        assert (result.folder / name).read_bytes() == (dataverse.folder / name).read_bytes()


def size_of(dataverse: Dataverse) -> int:
    return (dataverse.folder / NAME).stat().st_size


@pytest.mark.parametrize(
    "fault",
    [answers(429), answers(500), answers(503), answers(416), EMPTY, PAGE],
    ids=["429", "500", "503", "416", "empty 202", "web page"],
)
@pytest.mark.parametrize("where", ["api", "storage"])
def test_what_is_not_the_file_is_asked_for_again(
    dataverse_config: Config, dataverse: Dataverse, fault: Fault, where: str
) -> None:
    server = dataverse if where == "api" else dataverse.storage
    server.faults[NAME] = [fault, fault]
    assert_fetched(dataverse_config, dataverse)
    assert dataverse.storage.sent(NAME) == size_of(dataverse)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (answers(503), "answers 503"),
        (EMPTY, "answers 202 without the file"),
        (PAGE, "answers with a web page"),
        (cut(0), "the connection broke off"),
    ],
    ids=["503", "empty 202", "web page", "cut"],
)
def test_the_last_reason_is_told(
    dataverse_config: Config, dataverse: Dataverse, fault: Fault, told: str
) -> None:
    dataverse_config.data.download.attempts = 1
    dataverse.storage.faults[NAME] = [fault]
    with pytest.raises(SkincliError, match=f"{NAME} cannot be downloaded: .*({told})"):
        fetch(dataverse_config, Silent())


@pytest.mark.parametrize(
    "fault",
    [cut(100_000), stall(100_000), unsized(100_000)],
    ids=["cut", "stalled", "cut without a length"],
)
def test_a_broken_transfer_goes_on_where_it_broke(
    dataverse_config: Config, dataverse: Dataverse, fault: Fault
) -> None:
    dataverse_config.data.download.stall_seconds = 0.5
    dataverse.storage.faults[NAME] = [fault]
    assert_fetched(dataverse_config, dataverse)
    assert [each.range for each in dataverse.of(NAME)] == ["", "bytes=100000-"]
    assert dataverse.storage.sent(NAME) == size_of(dataverse)


def test_a_range_beyond_the_end_starts_afresh(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.storage.faults[NAME] = [cut(100_000), answers(416)]
    assert_fetched(dataverse_config, dataverse)
    assert [each.range for each in dataverse.of(NAME)] == ["", "bytes=100000-", ""]


def test_a_wrong_file_is_fetched_once_more(dataverse_config: Config, dataverse: Dataverse) -> None:
    dataverse.storage.faults[NAME] = [WRONG]
    assert_fetched(dataverse_config, dataverse)
    assert dataverse.storage.sent(NAME) == 2 * size_of(dataverse)


def test_a_file_that_stays_wrong_is_refused_and_removed(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.storage.faults[NAME] = [WRONG, WRONG, WRONG]
    with pytest.raises(DataError, match=f"{NAME} from 127.0.0.1:\\d+ differs from the MD5"):
        fetch(dataverse_config, Silent())
    assert not list(Path(dataverse_config.data.root).rglob(f"{NAME}*"))


def test_a_file_that_changes_between_two_attempts_starts_afresh(
    dataverse_config: Config, web: Mirror
) -> None:
    """The mirror gives no MD5: its mark alone tells that the bytes are those of another file."""
    dataverse_config.data.mirror = web.url
    other = bytearray((web.folder / NAME).read_bytes())
    other[50_000] ^= 1
    web.faults[NAME] = [cut(100_000, then=lambda: (web.folder / NAME).write_bytes(other))]
    result = fetch(dataverse_config, Silent())
    assert (result.folder / NAME).read_bytes() == other
    assert [each.range for each in web.of(NAME)] == ["", "bytes=100000-", ""]


def test_a_server_without_ranges_starts_afresh(dataverse_config: Config, web: Mirror) -> None:
    dataverse_config.data.mirror = web.url
    web.honours_range = False
    web.faults[NAME] = [cut(100_000)]
    result = fetch(dataverse_config, Silent())
    assert (result.folder / NAME).read_bytes() == (web.folder / NAME).read_bytes()
    assert [each.status for each in web.of(NAME)] == [200, 200]


def test_what_was_damaged_on_the_disk_since_starts_afresh(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse_config.data.download.attempts = 1
    dataverse.storage.faults[NAME] = [cut(100_000), cut(0)]
    with pytest.raises(SkincliError, match="the connection broke off"):
        fetch(dataverse_config, Silent())
    (partial,) = Path(dataverse_config.data.root).rglob(f"{NAME}.partial")
    partial.write_bytes(b"damaged" + partial.read_bytes()[7:])
    assert_fetched(dataverse_config, dataverse)
    assert [each.range for each in dataverse.of(NAME)][-2:] == ["bytes=100000-", ""]


def test_only_attempts_without_progress_are_counted(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse_config.data.download.attempts = 2
    dataverse.storage.faults[NAME] = [cut(10_000)] * 12
    assert_fetched(dataverse_config, dataverse)
    dataverse_config.data.root += "-again"
    dataverse.storage.faults[NAME] = [cut(10_000), cut(0), cut(0)]
    with pytest.raises(SkincliError, match=f"{NAME} cannot be downloaded") as caught:
        fetch(dataverse_config, Silent())
    assert (caught.value.exit_code, "goes on where it stopped" in caught.value.hint) == (1, True)
    dataverse.storage.faults[NAME] = []
    assert_fetched(dataverse_config, dataverse)
    assert dataverse.of(NAME)[-1].range == "bytes=10000-"


def test_a_server_is_given_the_time_that_it_asks_for(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.faults[NAME] = [answers(429, retry_after="3600")]
    began = time.monotonic()
    assert_fetched(dataverse_config, dataverse)
    assert 0.3 <= time.monotonic() - began < 10  # no longer than patience allows


@pytest.mark.parametrize("status", [401, 403, 404, 410, 400])
def test_a_final_answer_is_not_asked_for_again(
    dataverse_config: Config, dataverse: Dataverse, status: int
) -> None:
    dataverse.faults[NAME] = [answers(status)]
    with pytest.raises(DataError, match=f"{NAME}.* {status}|{status} for {NAME}") as caught:
        fetch(dataverse_config, Silent())
    assert len(dataverse.of(NAME)) == 1
    if status == 403:
        assert "SKINCLI_DATAVERSE_TOKEN" in caught.value.hint
        assert "login" in caught.value.hint


def test_one_failure_stops_the_others(dataverse_config: Config, dataverse: Dataverse) -> None:
    dataverse.storage.pace = 0.05
    dataverse.faults[METADATA] = [answers(404)]
    began = time.monotonic()
    with pytest.raises(DataError, match=f"has no {METADATA}"):
        fetch(dataverse_config, Silent())
    assert time.monotonic() - began < 2
    sent = dataverse.storage.sent(NAME)
    time.sleep(0.3)
    assert dataverse.storage.sent(NAME) <= sent + (64 << 10)


def test_what_a_kill_left_beside_whole_files_is_removed(
    dataverse_config: Config, dataverse: Dataverse
) -> None:
    dataverse.faults[METADATA] = [answers(404)]
    with pytest.raises(DataError):
        fetch(dataverse_config, Silent())
    (staging,) = (Path(dataverse_config.data.root) / "ham10000").glob("raw-*.partial")
    for stray in (f"{METADATA}.version", "other.zip.partial"):
        (staging / stray).write_text("stray")
    assert_fetched(dataverse_config, dataverse)

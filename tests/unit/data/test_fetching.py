import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.data.mirror import WebMirror
from skincli.data.raw import ARCHIVES, FILES, METADATA
from skincli.data.storage import SetFolder
from skincli.errors import DataError, SkincliError
from skincli.progress import Silent


def raw_of(config: Config) -> Path:
    return SetFolder.of(config.data).raw


def write_checksums(folder: Path, **wrong: str) -> None:
    lines = [
        f"{wrong.get(name.split('.')[0]) or hashlib.md5((folder / name).read_bytes()).hexdigest()}"
        f"  {name}\n"
        for name in FILES
    ]
    (folder / "MD5SUMS").write_text("".join(lines))


def assert_same_files(config: Config, folder: Path) -> None:
    raw = raw_of(config)
    for name in FILES:
        assert (raw / name).read_bytes() == (folder / name).read_bytes()
    assert {path.name for path in raw.iterdir()} == {*FILES, "source.json"}
    assert not list(raw.parent.glob("*.partial"))


def test_without_a_mirror_the_error_says_what_to_do(tmp_path: Path) -> None:
    config = Config()
    config.data.root = str(tmp_path)
    with pytest.raises(DataError) as caught:
        fetch(config, Silent())
    assert "data.mirror=URL-or-folder" in caught.value.hint
    assert "data=synthetic" in caught.value.hint


def test_a_local_folder_is_copied_and_then_left_alone(
    ham_config: Config, mirror_folder: Path, progress
) -> None:
    first = fetch(ham_config, progress)
    assert first.created
    assert not first.verified
    assert any("unverified mirror" in warning for warning in progress.warnings)
    assert_same_files(ham_config, mirror_folder)
    stamp = (raw_of(ham_config) / METADATA).stat().st_mtime_ns
    second = fetch(ham_config, progress)
    assert not second.created
    assert (second.n_images, second.bytes, second.n_files) == (first.n_images, first.bytes, 3)
    assert (raw_of(ham_config) / METADATA).stat().st_mtime_ns == stamp


def test_the_record_says_what_was_fetched(ham_config: Config, mirror_folder: Path) -> None:
    result = fetch(ham_config, Silent())
    record = json.loads((result.folder / "source.json").read_text())
    assert record["origin"] == str(mirror_folder)
    assert record["licence"] == "CC BY-NC 4.0"
    assert (record["synthetic"], record["verified"]) == (False, False)
    archive = (mirror_folder / ARCHIVES[0]).read_bytes()
    assert record["files"][ARCHIVES[0]] == {
        "bytes": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
    }


def test_what_was_fetched_needs_no_mirror_any_more(ham_config: Config) -> None:
    fetch(ham_config, Silent())
    ham_config.data.mirror = None
    assert not fetch(ham_config, Silent()).created


def test_a_file_damaged_since_is_fetched_again(ham_config: Config, mirror_folder: Path) -> None:
    fetch(ham_config, Silent())
    damaged = raw_of(ham_config) / ARCHIVES[1]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert fetch(ham_config, Silent()).created
    assert_same_files(ham_config, mirror_folder)


def test_checksums_that_hold_verify_the_mirror(ham_config: Config, mirror_folder: Path) -> None:
    write_checksums(mirror_folder)
    assert fetch(ham_config, Silent()).verified


def test_a_checksum_that_fails_refuses_the_file(ham_config: Config, mirror_folder: Path) -> None:
    write_checksums(mirror_folder, HAM10000_images_part_2="0" * 32)
    with pytest.raises(DataError, match=r"part_2\.zip .* differs from the mirror's MD5SUMS"):
        fetch(ham_config, Silent())
    assert not raw_of(ham_config).exists()
    write_checksums(mirror_folder)
    assert fetch(ham_config, Silent()).verified


@pytest.mark.parametrize("name", FILES)
def test_a_mirror_that_lacks_a_file_is_refused(
    ham_config: Config, mirror_folder: Path, name: str
) -> None:
    (mirror_folder / name).unlink()
    with pytest.raises(DataError, match=f"holds no {name}"):
        fetch(ham_config, Silent())


def test_half_an_archive_is_refused(ham_config: Config, mirror_folder: Path) -> None:
    archive = mirror_folder / ARCHIVES[0]
    archive.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(DataError, match="not a whole zip archive"):
        fetch(ham_config, Silent())
    assert not raw_of(ham_config).exists()


def test_a_full_disk_is_noticed_before_the_work(ham_config: Config, mirror_folder: Path) -> None:
    with (mirror_folder / ARCHIVES[0]).open("r+b") as stream:
        stream.truncate(8 << 40)  # a sparse file: 8 TiB that take no room
    with pytest.raises(SkincliError, match="MB free"):
        fetch(ham_config, Silent())


def test_over_http(ham_config: Config, mirror_folder: Path, web) -> None:
    write_checksums(mirror_folder)
    ham_config.data.mirror = web.url
    result = fetch(ham_config, Silent())
    assert result.created
    assert result.verified
    assert_same_files(ham_config, mirror_folder)
    assert not fetch(ham_config, Silent()).created


def test_credentials_in_a_mirror_are_not_written_down(ham_config: Config, web) -> None:
    ham_config.data.mirror = web.url.replace("http://", "http://user:secret@")
    result = fetch(ham_config, Silent())
    assert "secret" not in (result.folder / "source.json").read_text()


def test_an_interrupted_download_goes_on_where_it_stopped(
    ham_config: Config, mirror_folder: Path, web
) -> None:
    ham_config.data.mirror = web.url
    web.cut = {ARCHIVES[0]: 100_000}
    with pytest.raises(SkincliError) as caught:
        fetch(ham_config, Silent())
    assert "goes on where it stopped" in caught.value.hint
    assert not raw_of(ham_config).exists()
    web.cut = {}
    fetch(ham_config, Silent())
    assert web.ranges == [f"{ARCHIVES[0]} 99999"]
    assert_same_files(ham_config, mirror_folder)


def test_what_is_complete_is_not_downloaded_again(ham_config: Config, web) -> None:
    ham_config.data.mirror = web.url
    web.cut = {METADATA: 10}
    with pytest.raises(SkincliError):
        fetch(ham_config, Silent())
    web.cut = {}
    fetch(ham_config, Silent())
    assert web.sent == [*FILES, METADATA]


def test_a_web_mirror_that_lacks_a_file_is_refused(ham_config: Config, web) -> None:
    ham_config.data.mirror = web.url
    (web.folder / METADATA).unlink()
    with pytest.raises(DataError, match=f"answers 404 for {METADATA}"):
        fetch(ham_config, Silent())
    assert web.sent == []


@pytest.mark.parametrize("reason", ["no ranges", "changed"])
def test_a_download_starts_afresh_where_it_cannot_go_on(
    ham_config: Config, mirror_folder: Path, web, reason: str
) -> None:
    ham_config.data.mirror = web.url
    web.cut = {ARCHIVES[0]: 100_000}
    with pytest.raises(SkincliError):
        fetch(ham_config, Silent())
    web.cut = {}
    if reason == "no ranges":
        web.honours_range = False
    else:
        (mirror_folder / ARCHIVES[0]).write_bytes((mirror_folder / ARCHIVES[1]).read_bytes())
    fetch(ham_config, Silent())
    assert web.ranges == []
    assert_same_files(ham_config, mirror_folder)


def test_a_stalled_download_is_given_up(web) -> None:
    web.cut, web.stall = {ARCHIVES[0]: 1000}, threading.Event()
    with (
        httpx.Client(timeout=0.2) as client,
        pytest.raises(SkincliError, match="stalled"),
        WebMirror(web.url, client).open(ARCHIVES[0], 0, "") as opened,
    ):
        list(opened.chunks)


def test_nobody_answers(ham_config: Config, web) -> None:
    ham_config.data.mirror = "http://127.0.0.1:1"
    with pytest.raises(SkincliError, match="cannot be downloaded"):
        fetch(ham_config, Silent())


def test_a_killed_fetch_finishes_the_next_time(synthetic_config: Config, tmp_path: Path) -> None:
    code = (
        "import sys; from skincli.config.schema import Config; from skincli.data import fetch\n"
        "from skincli.progress import Silent\n"
        "c = Config(); c.data.source = 'synthetic'; c.data.root = sys.argv[1]\n"
        "c.data.synthetic.lesions = 120; fetch(c, Silent())"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    while not list(tmp_path.glob(f"synthetic/raw-*.partial/{ARCHIVES[0]}")):
        assert child.poll() is None
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    config = Config()
    config.data.source = "synthetic"
    config.data.root = str(tmp_path)
    config.data.synthetic.lesions = 120
    config.data.image_size = 32
    assert not raw_of(config).exists()
    with pytest.raises(DataError, match="no data"):
        prepare(config, Silent())
    assert fetch(config, Silent()).created
    assert_same_files(config, raw_of(synthetic_config))

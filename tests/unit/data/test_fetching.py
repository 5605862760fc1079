import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from standins.faults import answers, cut
from standins.mirror import Mirror

from skincli.config.data import DataConfig, SourceName
from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.data.download.dataverse import DataverseFile
from skincli.data.raw import ARCHIVES, FILES, METADATA
from skincli.data.sources import ham10000
from skincli.data.storage import SetFolder
from skincli.errors import ConfigError, DataError, SkincliError
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
    with pytest.raises(DataError, match=r"part_2\.zip. differs from the MD5"):
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
    ham_config: Config, mirror_folder: Path, web: Mirror
) -> None:
    ham_config.data.mirror = web.url
    ham_config.data.download.attempts = 1
    web.faults[METADATA] = [cut(10, then=lambda: web.faults[METADATA].append(answers(503)))]
    with pytest.raises(SkincliError) as caught:
        fetch(ham_config, Silent())
    assert "goes on where it stopped" in caught.value.hint
    assert not raw_of(ham_config).exists()
    before = web.sent(ARCHIVES[0])
    fetch(ham_config, Silent())
    assert web.of(METADATA)[-1].range == "bytes=10-"
    assert web.sent(ARCHIVES[0]) == before
    assert_same_files(ham_config, mirror_folder)


def test_a_web_mirror_that_lacks_a_file_is_refused(ham_config: Config, web: Mirror) -> None:
    ham_config.data.mirror = web.url
    (web.folder / METADATA).unlink()
    with pytest.raises(DataError, match=f"has no {METADATA}: it answers 404"):
        fetch(ham_config, Silent())
    assert not any(web.of(name) for name in ARCHIVES)


def test_a_mirror_of_the_published_files_is_verified(
    ham_config: Config, mirror_folder: Path, monkeypatch: pytest.MonkeyPatch, progress
) -> None:
    published = {
        name: DataverseFile(1, hashlib.md5((mirror_folder / name).read_bytes()).hexdigest())
        for name in FILES
    }
    monkeypatch.setattr(ham10000, "PUBLISHED", published)
    assert fetch(ham_config, progress).verified
    assert not progress.warnings


@pytest.mark.parametrize("source", ["isic", "synthetic", "folder"])
def test_a_mirror_where_nothing_is_mirrored_is_refused(source: SourceName) -> None:
    config = Config(data=DataConfig(source=source, mirror="http://127.0.0.1:1"))
    with pytest.raises(ConfigError, match=f"data.mirror has no meaning with data={source}"):
        fetch(config, Silent())


def test_what_belongs_to_ham10000_is_refused_elsewhere() -> None:
    config = Config(data=DataConfig(source="synthetic", include=["isic2018-test"]))
    with pytest.raises(ConfigError, match="isic2018-test has no meaning with data=synthetic"):
        fetch(config, Silent())


def test_what_is_intact_is_not_fetched_again(ham_config: Config, web: Mirror) -> None:
    ham_config.data.mirror = web.url
    fetch(ham_config, Silent())
    (raw_of(ham_config) / METADATA).write_text("damaged")
    before = {name: web.sent(name) for name in FILES}
    assert fetch(ham_config, Silent()).created
    assert_same_files(ham_config, web.folder)
    assert web.sent(METADATA) > before[METADATA]
    assert all(web.sent(name) == before[name] for name in ARCHIVES)


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

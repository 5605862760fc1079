"""Raw files that are links, as DVC makes them to its cache."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from data_sets import raw_of
from standins.mirror import Mirror

from skincli.config.schema import Config
from skincli.data import fetch, prepare
from skincli.data.raw import ARCHIVES, METADATA
from skincli.progress import Silent


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    if folder.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    yield folder
    shutil.rmtree(folder)


def test_a_link_to_another_disk_is_taken_over_and_not_fetched_again(
    ham_config: Config, web: Mirror, other_disk: Path
) -> None:
    ham_config.data.mirror = web.url
    fetch(ham_config, Silent())
    raw = raw_of(ham_config)
    for name in ARCHIVES:
        shutil.move(raw / name, other_disk / name)
        (other_disk / name).chmod(0o444)
        (raw / name).symlink_to(other_disk / name)
    kept = {name: (other_disk / name).read_bytes() for name in ARCHIVES}
    (raw / METADATA).write_text("damaged")
    sent = {name: web.sent(name) for name in ARCHIVES}
    assert fetch(ham_config, Silent()).created
    assert {name: web.sent(name) for name in ARCHIVES} == sent
    assert {name: (other_disk / name).read_bytes() for name in ARCHIVES} == kept
    assert {name: (raw / name).read_bytes() for name in ARCHIVES} == kept


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_what_was_seen_of_images_is_not_written_into_a_linked_file(
    own_config: Config, tmp_path: Path, link
) -> None:
    prepare(own_config, Silent())
    inspected = raw_of(own_config).parent / "inspected"
    cached = {}
    for path in inspected.iterdir():
        shutil.move(path, tmp_path / path.name)
        link(tmp_path / path.name, path)
        cached[tmp_path / path.name] = (tmp_path / path.name).read_bytes()
    own_config.data.synthetic.lesions = 130
    fetch(own_config, Silent())
    prepare(own_config, Silent())
    assert cached == {path: path.read_bytes() for path in cached}
    assert (inspected / "facts.jsonl").stat().st_size > len(cached[tmp_path / "facts.jsonl"])

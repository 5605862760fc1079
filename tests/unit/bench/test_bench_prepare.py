"""The benchmark measures what it says; how fast this machine is does not matter here."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skincli.bench.bare import decode_into
from skincli.bench.images import drawn_jpegs, given_jpegs
from skincli.bench.memory import watched_memory
from skincli.bench.preparing import bench_prepare
from skincli.config.schema import Config
from skincli.errors import DataError
from skincli.imaging import Limits, read_input
from skincli.progress import Silent

LIMITS = Limits(10_000_000, 10_000_000)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number, data in enumerate(drawn_jpegs(4)):
        (folder / f"{number}.jpg").write_bytes(data)
    (folder / "notes.txt").write_text("no image")
    return folder


def test_every_part_is_measured_and_hangs_together(images):
    config = Config()
    config.data.image_size = 32
    result = bench_prepare(config, [images], most=3, rounds=1, progress=Silent())
    assert (result.n_images, result.synthetic, result.image_size) == (3, False, 32)
    assert result.decoding > 0
    assert result.speeds[0].cores == 1
    for speed in result.speeds:
        assert speed.ratio == pytest.approx(speed.packing / speed.bare)
    assert [growth.n_images for growth in result.growth] == [3, 12, 48]
    for growth in result.growth:
        assert growth.images_per_second == pytest.approx(growth.n_images / growth.seconds)
        assert growth.peak_megabytes > 1
    reading = result.reading
    assert reading.megabytes == reading.batch * 32 * 32 * 3 / 1e6
    assert reading.ratio == pytest.approx(reading.copy_ms / reading.pack_ms)


@pytest.mark.parametrize("crop", ["center", "whole", "letterbox"])
@pytest.mark.parametrize("size", [32, 224])
def test_the_bare_loop_does_the_same_work(crop, size):
    (data,) = drawn_jpegs(1)
    pixels = np.zeros((size, size, 3), np.uint8)
    decode_into(pixels, data, size, crop)
    assert (pixels == read_input(data, size, crop, LIMITS)).all()


def test_images_come_from_folders_archives_and_files_evenly_chosen(images, tmp_path):
    archive = tmp_path / "images.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted(images.iterdir()):
            target.write(file, file.name)
    whole = [file.read_bytes() for file in sorted(images.glob("*.jpg"))]
    assert given_jpegs([images], LIMITS, 9) == whole
    assert given_jpegs([archive], LIMITS, 2) == [whole[0], whole[3]]
    assert given_jpegs([images / "2.jpg", archive], LIMITS, 9) == [whole[2], *whole]


def test_images_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        given_jpegs([tmp_path / "nowhere"], LIMITS, 9)
    with pytest.raises(DataError, match="no JPEG"):
        given_jpegs([tmp_path], LIMITS, 9)


def test_the_peak_of_memory_is_seen_after_it_is_given_back():
    with watched_memory() as peak:
        before = peak.bytes
        held = np.ones(60_000_000, np.uint8)
        time.sleep(0.2)
        del held
    assert 50e6 < peak.bytes - before < 200e6


def test_the_command_prints_json_and_draws_a_chart(images, tmp_path):
    chart = tmp_path / "chart.png"
    words = ["bench", "prepare", str(images), "--most", "2", "--rounds", "1", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "skincli", *words, "--chart", str(chart), "data.image_size=32"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    result = json.loads(done.stdout)
    assert result["n_images"] == 2
    assert [growth["factor"] for growth in result["growth"]] == [1, 4, 16]
    assert chart.read_bytes().startswith(b"\x89PNG")

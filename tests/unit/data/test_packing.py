import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skincli.config.schema import ImageConfig
from skincli.data.packing.decode import CHUNKS, IMAGES, Shot, decode_images, read_checksums
from skincli.data.packing.pack import make_pack, open_pack, pack_folder
from skincli.data.packing.packed import CHUNK, PackedImages
from skincli.data.reading.images import ImageStore
from skincli.errors import DataError
from skincli.imaging import Limits, read_input
from skincli.progress import Silent

COUNT = 3 * CHUNK + 5
SHOT = Shot(32, "whole", Limits.of(ImageConfig()))


class Counting:
    """A store that counts what is read, and can refuse to go on."""

    def __init__(self, store: ImageStore, stop_at: str = "") -> None:
        self.store = store
        self.stop_at = stop_at
        self.read_ids: list[str] = []

    def read(self, image_id: str) -> bytes:
        self.read_ids.append(image_id)
        if image_id == self.stop_at:
            raise KeyboardInterrupt
        return self.store.read(image_id)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        pixels = rng.integers(0, 256, (24, 36, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"i{number:03d}.png")
    return folder


@pytest.fixture
def store(pictures: Path) -> ImageStore:
    return ImageStore.of_folder(pictures)


def identities(store: ImageStore) -> list[tuple[str, str]]:
    return [(image_id, f"sha of {image_id}") for image_id in sorted(store.ids)]


def test_every_row_is_what_the_network_would_see(store: ImageStore, tmp_path: Path) -> None:
    images = identities(store)
    packed = make_pack(tmp_path / "pack", images, store, SHOT, Silent())
    for row, (image_id, _) in enumerate(images):
        expected = read_input(store.read(image_id), 32, "whole", SHOT.limits)
        assert np.array_equal(packed[np.array([row])][0], expected)
    assert packed.shape == (COUNT, 32, 32, 3)
    assert sorted(path.name for path in (tmp_path / "pack").iterdir()) == [
        "chunks.txt", "images.csv", "images.npy",
    ]  # fmt: skip


def test_a_batch_is_a_copy_in_memory(store: ImageStore, tmp_path: Path) -> None:
    packed = make_pack(tmp_path / "pack", identities(store), store, SHOT, Silent())
    batch = packed[np.array([5, 3, 3, 190])]
    assert type(batch) is np.ndarray
    assert batch.flags.owndata
    assert np.array_equal(batch[1], batch[2])


def test_an_interrupted_pack_goes_on_where_it_stopped(store: ImageStore, tmp_path: Path) -> None:
    images = identities(store)
    whole = make_pack(tmp_path / "whole", images, store, SHOT, Silent())
    with pytest.raises(KeyboardInterrupt):
        make_pack(tmp_path / "pack", images, Counting(store, images[-2][0]), SHOT, Silent())  # type: ignore[arg-type]
    assert not (tmp_path / "pack").exists()
    done = len((tmp_path / "pack.partial" / CHUNKS).read_text().split())
    assert done == 3
    counting = Counting(store)
    packed = make_pack(tmp_path / "pack", images, counting, SHOT, Silent())  # type: ignore[arg-type]
    assert sorted(counting.read_ids) == [image_id for image_id, _ in images[done * CHUNK :]]
    rows = np.arange(COUNT)
    assert np.array_equal(packed[rows], whole[rows])
    assert read_checksums(tmp_path / "pack") == read_checksums(tmp_path / "whole")


def test_a_finished_chunk_that_was_damaged_since_is_decoded_again(
    store: ImageStore, tmp_path: Path
) -> None:
    ids = sorted(store.ids)
    decode_images(tmp_path, store, ids, SHOT, Silent())
    before = (tmp_path / IMAGES).read_bytes()
    with (tmp_path / IMAGES).open("r+b") as stream:
        stream.seek(-10, 2)
        stream.write(b"x")
    counting = Counting(store)
    decode_images(tmp_path, counting, ids, SHOT, Silent())  # type: ignore[arg-type]
    assert counting.read_ids == ids[3 * CHUNK :]
    assert (tmp_path / IMAGES).read_bytes() == before


def test_a_damaged_chunk_is_refused_when_it_is_first_read(
    store: ImageStore, tmp_path: Path
) -> None:
    images = identities(store)
    folder = tmp_path / "pack"
    make_pack(folder, images, store, SHOT, Silent())
    with (folder / IMAGES).open("r+b") as stream:
        stream.seek(128 + 70 * 32 * 32 * 3)
        stream.write(b"\0\1\2\3")
    packed = open_pack(folder, images, SHOT)
    assert packed is not None
    packed[np.array([0, 63, 128])]
    with pytest.raises(DataError, match="images 64 to 127 are not as they were packed"):
        packed[np.array([0, 100])]
    with pytest.raises(DataError, match="images 64 to 127"):
        list(packed.verify_all())


@pytest.mark.parametrize("name", ["images.npy", "images.csv", "chunks.txt"])
@pytest.mark.parametrize("damage", ["cut", "gone", "emptied"])
def test_a_pack_that_is_not_whole_is_none(
    store: ImageStore, tmp_path: Path, name: str, damage: str
) -> None:
    images = identities(store)
    make_pack(tmp_path / "pack", images, store, SHOT, Silent())
    path = tmp_path / "pack" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    assert open_pack(tmp_path / "pack", images, SHOT) is None


def test_a_pack_is_named_after_all_that_it_holds(store: ImageStore, tmp_path: Path) -> None:
    images = identities(store)
    others = [
        pack_folder(tmp_path, images[:-1], SHOT),
        pack_folder(tmp_path, [*images[:-1], (images[-1][0], "other")], SHOT),
        pack_folder(tmp_path, images, Shot(33, "whole", SHOT.limits)),
        pack_folder(tmp_path, images, Shot(32, "center", SHOT.limits)),
    ]
    assert len({pack_folder(tmp_path, images, SHOT), *others}) == 5


def test_an_array_of_something_else_is_no_pack(tmp_path: Path) -> None:
    np.save(tmp_path / IMAGES, np.zeros((4, 8, 8, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="float32"):
        PackedImages(tmp_path / IMAGES, [0])


def test_memory_stays_flat_however_many_images(pictures: Path, tmp_path: Path) -> None:
    """Anonymous memory, that is; the pages of the array belong to its file."""
    code = """
import sys; from pathlib import Path; from skincli.config.schema import ImageConfig
from skincli.data.packing.decode import Shot, decode_images
from skincli.data.reading.images import ImageStore; from skincli.imaging import Limits
from skincli.progress import Silent
store = ImageStore.of_folder(Path(sys.argv[1])); ids = sorted(store.ids) * int(sys.argv[3])
def anonymous():
    text = Path("/proc/self/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])
shot = Shot(96, "whole", Limits.of(ImageConfig()))
warm = Path(sys.argv[2], "warm"); warm.mkdir()
decode_images(warm, store, ids[:128], shot, Silent())
before = anonymous(); decode_images(Path(sys.argv[2]), store, ids, shot, Silent())
print(anonymous() - before)
"""
    grown = []
    for repeats in ("1", "8"):
        folder = tmp_path / repeats
        folder.mkdir()
        words = [sys.executable, "-c", code, str(pictures), str(folder), repeats]
        grown.append(int(subprocess.run(words, capture_output=True, check=True).stdout))
    assert grown[1] < 8_000  # KiB; the array of 8 times the images has 43,000


def test_a_killed_pack_finishes_with_the_same_bytes(pictures: Path, tmp_path: Path) -> None:
    code = """
import sys; from pathlib import Path; from skincli.config.schema import ImageConfig
from skincli.data.packing.decode import Shot; from skincli.data.packing.pack import make_pack
from skincli.data.reading.images import ImageStore; from skincli.imaging import Limits
from skincli.progress import Silent
store = ImageStore.of_folder(Path(sys.argv[1])); images = [(i, i) for i in sorted(store.ids)]
make_pack(Path(sys.argv[2]), images, store, Shot(640, "whole", Limits.of(ImageConfig())), Silent())
"""
    words = [sys.executable, "-c", code, str(pictures)]
    child = subprocess.Popen([*words, str(tmp_path / "pack")])
    lines = tmp_path / "pack.partial" / CHUNKS
    while not (lines.is_file() and lines.stat().st_size):
        assert child.poll() is None
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "pack").exists()
    for folder in ("pack", "whole"):
        subprocess.run([*words, str(tmp_path / folder)], check=True)
    same = [(tmp_path / folder / IMAGES).read_bytes() for folder in ("pack", "whole")]
    assert same[0] == same[1]
    assert io.BytesIO(same[0]).read(6) == b"\x93NUMPY"

"""Images out of zip archives and folders: hostile, damaged and plain ones."""

import random
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from clinic import forge, jpeg

from skincli.data.reading.images import ImageStore
from skincli.data.records import Rejected
from skincli.errors import DataError, ImageError
from skincli.imaging import Limits

LIMITS = Limits(max_bytes=100_000, max_pixels=1_000_000)
SOUND = jpeg(0)


def archive_of(folder: Path, method: int = zipfile.ZIP_DEFLATED, **entries: bytes) -> Path:
    """An archive with `name_jpg=bytes` as `name.jpg`."""
    return archive(folder, {k.replace("_", "."): data for k, data in entries.items()}, method)


def archive(folder: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "images.zip"
    with zipfile.ZipFile(path, "w", method) as stream:
        for name, data in entries.items():
            stream.writestr(name, data)
    return path


def opened(path: Path) -> ImageStore:
    return ImageStore.of_archives([path], LIMITS)


def test_images_are_read_from_all_archives_and_their_folders(tmp_path: Path) -> None:
    first = archive(tmp_path, {"a.jpg": SOUND, "sub/b.PNG": b"b", "notes.txt": b"-", "dir/": b""})
    first = first.rename(tmp_path / "first.zip")
    second = archive_of(tmp_path, zipfile.ZIP_STORED, c_jpg=b"c")
    with ImageStore.of_archives([first, second], LIMITS) as store:
        assert store.ids == {"a", "b", "c"}
        assert (store.read("a"), store.read("b"), store.read("c")) == (SOUND, b"b", b"c")
        assert store.size("a") == len(SOUND)
        assert "a" in store
        assert "notes" not in store
        assert (store.refused, store.duplicates) == ((), frozenset())


def test_a_token_names_the_bytes(tmp_path: Path) -> None:
    with opened(archive_of(tmp_path, a_jpg=b"one")) as store:
        first = store.token("a")
    with opened(archive_of(tmp_path, a_jpg=b"one", b_jpg=b"new")) as store:
        assert store.token("a") == first
    with opened(archive_of(tmp_path, a_jpg=b"two")) as store:
        assert store.token("a") != first


def test_names_that_several_files_have_are_known(tmp_path: Path) -> None:
    with opened(archive(tmp_path, {"1/a.jpg": b"1", "2/a.png": b"2", "b.jpg": b"3"})) as store:
        assert store.duplicates == {"a"}


def test_leftovers_of_macos_are_no_images(tmp_path: Path) -> None:
    names = ("a.jpg", "__MACOSX/._a.jpg", "x\\._b.jpg", ".jpg")
    with opened(archive(tmp_path, dict.fromkeys(names, SOUND))) as store:
        assert store.ids == {"a"}
        assert not store.duplicates


def test_folders_in_an_archive_may_be_written_the_windows_way(tmp_path: Path) -> None:
    with opened(archive(tmp_path, {"part 1\\a.jpg": SOUND, "old.zip/b.jpg": SOUND})) as store:
        assert store.ids == {"a", "b"}
        assert store.refused == ()


@pytest.mark.parametrize(
    "name",
    ["/a.jpg", "../a.jpg", "x/../../a.jpg", "..\\a.jpg", "\\a.jpg", "C:\\x\\a.jpg"],
)
def test_entries_that_escape_their_folder_are_refused(tmp_path: Path, name: str) -> None:
    with opened(archive(tmp_path, {name: SOUND, "b.jpg": SOUND})) as store:
        reason = "zip entry outside its folder"
        assert store.refused == (Rejected(0, "a", reason, f"{name} in images.zip"),)
        assert store.fault("a") == (reason, f"{name} in images.zip")
        assert store.ids == {"b"}
        assert store.fault("b") is None


def test_an_escaping_entry_takes_the_place_of_no_other(tmp_path: Path) -> None:
    with opened(archive(tmp_path, {"a.jpg": SOUND, "../a.jpg": b"x"})) as store:
        assert store.fault("a") is not None
        assert store.ids == set()


@pytest.mark.parametrize("name", ["more.zip", "x/more.TAR", "more.tar.gz", "more.7z"])
def test_archives_in_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    entries = {name: b"-", f"again/{name}": b"-", "a.jpg": SOUND, "folder.zip/": b""}
    with opened(archive(tmp_path, entries)) as store:
        assert [item.reason for item in store.refused] == ["archive inside an archive"] * 2
        assert [item.detail for item in store.refused] == [
            f"{name} in images.zip", f"again/{name} in images.zip",
        ]  # fmt: skip


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path, a_jpg=SOUND, b_jpg=SOUND)
    forge(path, "a.jpg", flags=0x1)
    with opened(path) as store:
        assert store.fault("a") == ("encrypted zip entry", "a.jpg in images.zip")
        assert store.read("b") == SOUND


def test_entries_beyond_the_limit_are_refused_by_what_they_declare(tmp_path: Path) -> None:
    path = archive_of(tmp_path, a_jpg=bytes(LIMITS.max_bytes + 1), b_jpg=bytes(LIMITS.max_bytes))
    with opened(path) as store:
        assert store.fault("a") == (
            "zip entry larger than image.max_megabytes", "a.jpg in images.zip",
        )  # fmt: skip
        assert len(store.read("b")) == LIMITS.max_bytes


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_inflated_piece_by_piece_are_refused(
    tmp_path: Path, method: int
) -> None:
    with opened(archive_of(tmp_path, method, a_jpg=SOUND)) as store:
        assert store.fault("a") == ("zip entry neither stored nor deflated", "a.jpg in images.zip")


def test_an_entry_that_inflates_to_more_than_it_declares_stays_small(tmp_path: Path) -> None:
    path = archive_of(tmp_path, a_jpg=bytes(64 << 20), b_jpg=SOUND)
    assert path.stat().st_size < 100_000
    forge(path, "a.jpg", size=1000)
    with opened(path) as store:
        tracemalloc.start()
        with pytest.raises(ImageError, match=r"cannot be read .*CRC"):
            store.read("a")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1 << 20
        assert store.read("b") == SOUND


def test_an_entry_that_holds_less_than_it_declares_is_damaged(tmp_path: Path) -> None:
    path = archive_of(tmp_path, a_jpg=SOUND)
    forge(path, "a.jpg", size=len(SOUND) + 1000, crc=1)
    with opened(path) as store, pytest.raises(ImageError, match=r"cannot be read .*CRC"):
        store.read("a")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = archive_of(tmp_path, zipfile.ZIP_STORED, a_jpg=SOUND)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with opened(path) as store, pytest.raises(ImageError, match="Bad CRC-32"):
        store.read("a")


@pytest.mark.parametrize("content", [b"", b"no archive", SOUND, b"PK\x03\x04" + bytes(40)])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    sound, bad = archive_of(tmp_path, a_jpg=SOUND), tmp_path / "bad.zip"
    bad.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.zip` is not a readable zip archive"):
        ImageStore.of_archives([sound, bad], LIMITS)


def test_archives_damaged_anywhere_end_in_our_errors(tmp_path: Path) -> None:
    names = {f"{n}.jpg": jpeg(n) for n in range(3)} | {"ä.png": SOUND}
    whole = archive(tmp_path, names).read_bytes()
    chance = random.Random(4)
    path, met = tmp_path / "damaged.zip", set()
    for _ in range(400):
        data = bytearray(whole)
        for at in (*chance.sample(range(len(data) - 300, len(data)), 2), chance.randrange(300)):
            data[at] = chance.choice((0, 1, 0x50, 0x7F, 0x80, 0xFF))
        path.write_bytes(data)
        try:
            with opened(path) as store:
                for image_id in sorted(store.ids):
                    store.token(image_id)
                    store.read(image_id)
        except DataError as error:
            met.add(type(error))
    assert met == {DataError, ImageError}


def test_files_of_a_folder_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "x" / "folder.jpg").mkdir(parents=True)
    for name in ("x/a.jpg", "b.tif", "x/._c.jpg", "d.txt"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    with ImageStore.of_folder(tmp_path) as store:
        assert store.ids == {"a", "b"}
        assert (store.read("a"), store.size("a")) == (b"x/a.jpg", 7)
        before = store.token("a")
        (tmp_path / "x/a.jpg").write_bytes(b"changed")
        assert store.token("a") != before
        (tmp_path / "x/a.jpg").unlink()
        with pytest.raises(ImageError, match="cannot be read"):
            store.read("a")

import pytest

from skincli.errors import DataError, UsageError
from skincli.prediction.find import find_images


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_through_sorted_and_without_what_is_no_image(tmp_path):
    touch(tmp_path, "b.PNG", "a.jpg", "deep/er/c.webp", "notes.txt", ".hidden.jpg", "d.jpg.partial")
    touch(tmp_path, "a.heatmap.png")
    (tmp_path / "folder.jpg").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in find_images([tmp_path])]
    assert found == ["a.jpg", "b.PNG", "deep/er/c.webp"]


def test_a_named_file_counts_whatever_its_suffix_and_each_counts_once(tmp_path):
    touch(tmp_path, "scan.dat", "z.jpg", "a.jpg")
    found = find_images([tmp_path / "z.jpg", tmp_path / "scan.dat", tmp_path])
    assert [path.name for path in found] == ["z.jpg", "scan.dat", "a.jpg"]


def test_what_cannot_be_meant_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no file or folder"):
        find_images([tmp_path, tmp_path / "missing.jpg"])
    with pytest.raises(DataError, match="no image in"):
        find_images([tmp_path])
    with pytest.raises(UsageError, match="no image was named"):
        find_images([])

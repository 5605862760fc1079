"""Files of a run that a kill, a full disk or a lost machine leaves whole."""

import pytest
from disks import no_file_beyond

from skincli.tracking.writing import (
    append_line,
    flush_to_disk,
    replaced_folder,
    write_atomically,
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lines"


def test_lines_are_added_one_after_the_other(file):
    for line in ("one\n", "zwölf\n", "three\n"):
        append_line(file, line)
    assert file.read_text() == "one\nzwölf\nthree\n"
    flush_to_disk(file)


@pytest.mark.parametrize("whole", [b"", b"one\n", b"one\ntwo\n"])
@pytest.mark.parametrize("torn", [b"to", b"\0" * 5000, "ö".encode()[:1]])
def test_what_a_lost_machine_left_of_a_line_is_cut_off_before_the_next(file, whole, torn):
    file.write_bytes(whole + torn)
    append_line(file, "next\n")
    assert file.read_bytes() == whole + b"next\n"


@pytest.mark.parametrize("room", [0, 3])
def test_a_line_that_the_disk_takes_in_part_is_not_there_at_all(file, room):
    append_line(file, "one\n")
    with no_file_beyond(4 + room), pytest.raises(OSError, match=r"lines|File too large"):
        append_line(file, "second\n")
    assert file.read_bytes() == b"one\n"
    append_line(file, "second\n")
    assert file.read_bytes() == b"one\nsecond\n"


def test_a_file_is_replaced_whole_or_not_at_all(file, tmp_path):
    write_atomically(file, "first\n")
    with no_file_beyond(10), pytest.raises(OSError, match="File too large"):
        write_atomically(file, "second, which is longer\n")
    assert file.read_text() == "first\n"
    assert list(tmp_path.iterdir()) == [file]
    write_atomically(file, "second\n")
    assert file.read_text() == "second\n"


def test_a_folder_takes_its_place_when_it_is_whole(tmp_path):
    target = tmp_path / "reports" / "one"
    for text in ("first", "second"):
        with replaced_folder(target) as fresh:
            (fresh / text).touch()
            assert not (target / text).exists()
        assert [each.name for each in target.iterdir()] == [text]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_folder_that_is_not_finished_leaves_the_former_one(tmp_path, error):
    target = tmp_path / "one"
    with replaced_folder(target) as fresh:
        (fresh / "former").touch()

    def fill_half() -> None:
        with replaced_folder(target) as fresh:
            (fresh / "half").touch()
            raise error

    with pytest.raises(error):
        fill_half()
    assert list(tmp_path.iterdir()) == [target]
    assert [each.name for each in target.iterdir()] == ["former"]


def test_a_folder_that_cannot_take_its_place_gives_it_back(tmp_path):
    target = tmp_path / "one"
    with replaced_folder(target) as fresh:
        (fresh / "former").touch()
    with pytest.raises(OSError, match="No such file"), replaced_folder(target) as fresh:
        fresh.rmdir()
    assert [each.name for each in target.iterdir()] == ["former"]

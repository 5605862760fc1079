"""What a parser complains of becomes an ImageError without its secrets."""

import pytest

from skincli.errors import ImageError
from skincli.imaging.damage import named_damage


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("image file is truncated (12 bytes not processed)", True),
        ("cannot read <_io.BytesIO object at 0x7f00>", False),
        ("no such file: /home/someone/x.tif", False),
        ("'FileDataset' object has no attribute 'Rows'", False),
        ("Traceback\n  line 3", False),
        ("x" * 500, False),
        ("", False),
    ],
)
def test_only_plain_words_are_passed_on(words: str, told: bool) -> None:
    with pytest.raises(ImageError) as caught, named_damage("the file is damaged"):
        raise ValueError(words)
    assert caught.value.message == "the file is damaged" + (f" ({words})" if told else "")
    assert caught.value.reason == "damaged"


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("deep"), KeyError(3)])
def test_nothing_else_comes_through(error: Exception) -> None:
    with pytest.raises(ImageError), named_damage("the file is damaged"):
        raise error

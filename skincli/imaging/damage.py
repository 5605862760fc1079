"""The border to the parsers of image files, which meet hostile bytes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from skincli.errors import ImageError

# A parser's own words may hold a path, an address or an object of Python; none of them passes.
_PLAIN_WORDS: Final = re.compile(r"[\w ,.:;()%-]{1,100}")


@contextmanager
def named_damage(complaint: str) -> Iterator[None]:
    """Make an ImageError (`damaged`) of whatever a parser raises.

    There is no list of what may come: Pillow alone is known to raise OSError, SyntaxError,
    ValueError and struct.error.
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        words = str(error)
        why = f" ({words})" if _PLAIN_WORDS.fullmatch(words) else ""
        raise ImageError(f"{complaint}{why}", "damaged") from None

"""The border to the parsers of image files, which meet hostile bytes."""

from collections.abc import Iterator
from contextlib import contextmanager

from skincli.errors import ImageError


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
        raise ImageError(f"{complaint} ({error})", "damaged") from None

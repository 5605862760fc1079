"""The bytes of an image file, of a size that cannot hurt."""

from pathlib import Path

from skincli.errors import ImageError
from skincli.imaging import Limits


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The file's bytes, unless there are so many that reading them would already hurt."""
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise ImageError(
            f"the file has {size:,} bytes, more than the {limits.max_bytes:,} allowed",
            "too_many_bytes",
        )
    return path.read_bytes()

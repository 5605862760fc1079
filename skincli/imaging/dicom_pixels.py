"""The pixel data of a parsed DICOM file to 8-bit RGB. Only `dicom` imports this: it needs pydicom.

Sections are those of the DICOM standard, PS3.3.
"""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from skincli.imaging.header import Header
from skincli.imaging.limits import Pixels
from skincli.imaging.segments import is_jpeg, read_segments

Levels = NDArray[np.float32]

_GREYS: Final = ("MONOCHROME1", "MONOCHROME2")
# The tag before a fragment of an encapsulated frame (PS3.5, A.4); one frame is mostly in one.
_ITEM: Final = b"\xfe\xff\x00\xe0"
_MOST_FRAGMENTS: Final = 1000


def rgb_pixels(dataset: FileDataset, header: Header) -> Pixels:
    """The picture as uint8 `[height, width, 3]`.

    May raise anything on a file that contradicts itself; the caller makes an ImageError of it.
    """
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_inner_size(dataset, header)
    stored = pixel_array(dataset, index=0)
    with np.errstate(all="ignore"):  # `_eight_bit` looks at what comes out
        return _coloured(stored, dataset, header)


def _coloured(stored: NDArray[Any], dataset: FileDataset, header: Header) -> Pixels:
    if header.mode in _GREYS:
        grey = _eight_bit(_shown(stored, dataset, header))
        return np.repeat((255 - grey if header.mode == "MONOCHROME1" else grey)[..., None], 3, 2)
    if header.mode == "PALETTE COLOR":
        colours = apply_color_lut(stored, dataset)[..., :3]
        return colours if colours.dtype == np.uint8 else _eight_bit(colours / np.float32(65535))
    return stored if header.bits == 8 else _eight_bit(stored / np.float32(2**header.bits - 1))


def _check_inner_size(dataset: FileDataset, header: Header) -> None:
    """The limits were held against what the file says; the JPEG inside must say the same."""
    if dataset.PixelData.count(_ITEM) > _MOST_FRAGMENTS:
        raise ValueError("it is in too many fragments")
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if is_jpeg(frame):
        read_segments(frame)
    with Image.open(io.BytesIO(frame), formats=("JPEG", "JPEG2000")) as inner:
        if inner.size != (header.width, header.height):
            raise ValueError(f"the picture inside is {inner.width} x {inner.height} pixels")


def _shown(stored: NDArray[Any], dataset: FileDataset, header: Header) -> Levels:
    """Grey levels as shares of what is to be shown, 0 to 1.

    Shown is the linear window that the file names (C.11.2.1.2, C.11.2.1.3.2), else all that its
    bits can store, both after rescaling (C.11.1).
    """
    slope = float(dataset.get("RescaleSlope", 1))
    intercept = float(dataset.get("RescaleIntercept", 0))
    values = stored * np.float32(slope) + np.float32(intercept)
    if "WindowCenter" in dataset and "WindowWidth" in dataset:
        center, width = _first(dataset.WindowCenter), _first(dataset.WindowWidth)
        low, high = center - width / 2, center + width / 2
        exact = dataset.get("VOILUTFunction") == "LINEAR_EXACT"
        return _share(values, low, high if exact else high - 1)
    lowest = -(2 ** (header.bits - 1)) if dataset.PixelRepresentation else 0
    ends = sorted(slope * (lowest + step) + intercept for step in (0, 2**header.bits - 1))
    return _share(values, ends[0], ends[1])


def _share(values: Levels, low: float, high: float) -> Levels:
    """Where values lie between two ends, 0 to 1. Ends that coincide make a step."""
    if high < low:
        raise ValueError("a window of negative width")
    if high == low:
        return (values > low).astype(np.float32)
    return ((values - np.float32(low)) / np.float32(high - low)).clip(0, 1)


def _first(value: Any) -> float:
    """A number, or the first of several alternatives."""
    return float(value if isinstance(value, int | float | str) else value[0])


def _eight_bit(shares: NDArray[Any]) -> Pixels:
    """Shares of 0 to 1 as grey levels of 0 to 255, to the nearest."""
    if not np.isfinite(shares).all():
        raise ValueError("grey levels that are no numbers")
    levels: Pixels = np.rint(shares * 255).clip(0, 255).astype(np.uint8)
    return levels

"""DICOM files through the optional pydicom: one picture, as its photometric interpretation says.

pydicom is imported when the first DICOM file is met, not before: it takes half a second.
"""

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from skincli.errors import ImageError
from skincli.imaging.damage import named_damage
from skincli.imaging.header import Header

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset

# For the whole process, as in `raster`.
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")

_MAGIC: Final = slice(128, 132)
_CHANNELS: Final = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}
# Transfer syntaxes, by PS3.5 section 10 and annex A: uncompressed, JPEG and JPEG 2000. Run
# lengths and deflated files are refused because a few bytes of theirs can fill all memory.
_NATIVE: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_JPEG: Final = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 90, 91))
_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
# Tables that map grey levels, palettes packed as segments, a second list of frames: no camera
# writes them.
# An element costs pydicom three calls of `read`, however deep it lies; a file of a camera has some
# hundred elements. What is kept unread is looked at by its length.
_MOST_READS: Final = 50_000
_MOST_BYTES: Final = 200_000
_PICTURE_GROUP, _PIXELS = 0x0028, 0x7FE00010
_TABLES: Final = (
    "ModalityLUTSequence",
    "VOILUTSequence",
    "SegmentedRedPaletteColorLookupTableData",
    "ExtendedOffsetTable",
)


class _CountedReads(io.BytesIO):
    """Ends a parser that is sent through element after element."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MOST_READS:
            raise ValueError("too many elements")
        return super().read(size)


@dataclass(frozen=True, slots=True)
class DicomImage:
    """A parsed DICOM file."""

    dataset: "FileDataset"
    header: Header

    def decode(self, at_least: int | None = None) -> Image.Image:
        from skincli.imaging.dicom_pixels import rgb_pixels

        with named_damage("the DICOM pixel data are truncated or damaged"):
            _refuse_what_is_not_read(self.dataset, self.header)
            return Image.fromarray(rgb_pixels(self.dataset, self.header))


def is_dicom(data: bytes) -> bool:
    return data[_MAGIC] == b"DICM"


def open_dicom(data: bytes) -> DicomImage:
    """Parse a DICOM file; its pixels are not decoded. Raises ImageError."""
    if _DEFLATED in data:
        raise _unsupported("a deflated content")
    try:
        import pydicom
    except ImportError:
        raise ImageError(
            "this is a DICOM file: reading it needs `pip install 'skincli[dicom]'`",
            "unsupported_format",
        ) from None
    with named_damage("the DICOM file is damaged"):
        dataset = pydicom.dcmread(_CountedReads(data))
        _check_elements(dataset)
        return DicomImage(dataset, _header_of(dataset))


def _check_elements(dataset: "Dataset") -> None:
    """What we read of the file is not long, nor a sequence in the place of something else."""
    for tag, element in dataset.items():
        size = len(element.value) if isinstance(element.value, bytes) else 0
        if tag.group == _PICTURE_GROUP and size > _MOST_BYTES:
            raise _damaged(f"{tag} has {size} bytes")
        if tag == _PIXELS and element.VR == "SQ":
            raise _damaged("its pixel data are a sequence")


def _header_of(dataset: "Dataset") -> Header:
    if "PixelData" not in dataset:
        raise _unsupported("no picture")
    return Header(
        format="DICOM",
        mode=str(dataset.PhotometricInterpretation),
        width=_positive(dataset, "Columns"),
        height=_positive(dataset, "Rows"),
        bits=_positive(dataset, "BitsStored"),
        several_frames=_positive(dataset, "NumberOfFrames", 1) > 1,
    )


def _positive(dataset: "Dataset", name: str, default: int | None = None) -> int:
    found = dataset.get(name, default)
    if not isinstance(found, int) or found < 1:
        raise _damaged(f"{name} is {found}")
    return int(found)


def _refuse_what_is_not_read(dataset: "FileDataset", header: Header) -> None:
    if header.several_frames:
        raise _unsupported(f"{dataset.NumberOfFrames} frames; a single one is read")
    syntax = dataset.file_meta.get("TransferSyntaxUID", "")
    if syntax not in _NATIVE + _JPEG:
        raise _unsupported(f"pixel data stored as {getattr(syntax, 'name', syntax) or 'unknown'}")
    if header.mode not in _CHANNELS:
        raise _unsupported(f"the photometric interpretation {header.mode}")
    table = next((name for name in _TABLES if name in dataset), None)
    if table:
        raise _unsupported(f"a {table}")
    function = dataset.get("VOILUTFunction", "LINEAR")
    if function not in ("LINEAR", "LINEAR_EXACT"):
        raise _unsupported(f"the window function {function}")
    if dataset.get("BitsAllocated") not in (8, 16):
        raise _unsupported(f"{dataset.get('BitsAllocated')} bits per sample")
    if dataset.get("SamplesPerPixel") != _CHANNELS[header.mode]:
        raise _damaged(f"{header.mode} in {dataset.get('SamplesPerPixel')} channels")


def _unsupported(what: str) -> ImageError:
    return ImageError(f"the DICOM file has {what}: that is not read", "unsupported_format")


def _damaged(what: str) -> ImageError:
    return ImageError(f"the DICOM file is damaged ({what})", "damaged")

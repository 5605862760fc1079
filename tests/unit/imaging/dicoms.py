"""Real DICOM files, written with pydicom."""

import io
from collections.abc import Mapping

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def dicom(
    pixels: np.ndarray,
    photometric: str,
    *,
    syntax: str = ExplicitVRLittleEndian,
    stored: bytes | None = None,
    **elements: object,
) -> bytes:
    """A file with `pixels` `[h, w]` or `[h, w, 3]`; `stored` are its bytes where they differ."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    bits = pixels.dtype.itemsize * 8
    described: Mapping[str, object] = {
        "SOPClassUID": SecondaryCaptureImageStorage,
        "SOPInstanceUID": generate_uid(entropy_srcs=["skincli"]),
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": channels,
        "PhotometricInterpretation": photometric,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        **({"PlanarConfiguration": 0} if channels == 3 else {}),
        **elements,
    }
    dataset = Dataset()
    for name, value in described.items():
        setattr(dataset, name, value)
    dataset.PixelData = pixels.tobytes() if stored is None else stored
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return _written(dataset, syntax)


def encapsulated(data: bytes, pixels: np.ndarray, photometric: str, syntax: str) -> bytes:
    """A file around the bytes of a JPEG or JPEG 2000 image."""
    return dicom(pixels, photometric, syntax=syntax, stored=encapsulate([data]))


def _written(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()

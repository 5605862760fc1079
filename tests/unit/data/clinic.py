"""A user's own images and CSV, and zip archives whose headers lie."""

import csv
import io
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from skincli.config.schema import Config
from skincli.data import PrepareResult, fetch, prepare
from skincli.data.storage import SetFolder
from skincli.progress import Progress
from skincli.taxonomy import DIAGNOSIS_CODES

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def picture(seed: int, width: int = 48, height: int = 36) -> Image.Image:
    """Blotches, which no other seed's resemble."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(seed: int) -> bytes:
    return encode(picture(seed), quality=90)


@dataclass
class Clinic:
    """A folder of images with a CSV. Line 1 is its header, row n is in line n + 2."""

    config: Config
    images: Path
    table: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, image_id: str, data: bytes | None, dx: str = "nv", **cells: str) -> None:
        """A row, and a file unless `data` is None; an id without suffix is a JPEG's."""
        if data is not None:
            name = image_id if "." in image_id else f"{image_id}.jpg"
            (self.images / name).write_bytes(data)
        row = {"image_id": image_id, "lesion_id": f"L-{image_id}", "dx": dx, "age": "50"}
        self.rows.append(row | cells)

    def prepare(self, progress: Progress) -> PrepareResult:
        self.fetch(progress)
        return prepare(self.config, progress)

    def fetch(self, progress: Progress) -> None:
        """Write the CSV, and fetch."""
        with self.table.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, ["image_id", "lesion_id", "dx", "age"])
            writer.writeheader()
            writer.writerows(self.rows)
        fetch(self.config, progress)

    @property
    def rejected_file(self) -> Path:
        return SetFolder.of(self.config.data).rejected

    @property
    def rejected(self) -> list[tuple[str, str, str, str]]:
        """What `rejected.csv` holds, without its header."""
        with self.rejected_file.open(newline="") as stream:
            header, *rows = csv.reader(stream)
        assert header == ["line", "image_id", "reason", "detail"]
        return [(line, image_id, reason, detail) for line, image_id, reason, detail in rows]


def open_clinic(folder: Path) -> Clinic:
    """Seven sound images, one for each diagnosis, in lines 2 to 8."""
    images = folder / "mine"
    images.mkdir()
    config = Config()
    config.data.source = "folder"
    config.data.root = str(folder / "data")
    config.data.image_size = 32
    config.data.folder.images = str(images)
    config.data.folder.metadata = str(folder / "mine.csv")
    found = Clinic(config, images, folder / "mine.csv")
    for seed, dx in enumerate(DIAGNOSIS_CODES):
        found.add(f"img{seed}", jpeg(seed), dx)
    return found


def forge(path: Path, name: str, *, flags: int = 0, **declared: int) -> None:
    """Change what both headers of a zip entry say: `flags` are added, `size` and `crc` replaced."""
    data = bytearray(path.read_bytes())
    for magic, at_flags, at_crc, at_size, at_name in (
        (_LOCAL, 6, 14, 22, 30),
        (_CENTRAL, 8, 16, 24, 46),
    ):
        start = data.index(magic)
        while data[start + at_name : start + at_name + len(name)] != name.encode():
            start = data.index(magic, start + 4)
        (before,) = struct.unpack_from("<H", data, start + at_flags)
        struct.pack_into("<H", data, start + at_flags, before | flags)
        if "crc" in declared:
            struct.pack_into("<I", data, start + at_crc, declared["crc"])
        if "size" in declared:
            struct.pack_into("<I", data, start + at_size, declared["size"])
    path.write_bytes(data)

"""What is no image of a supported format, whatever it was named."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np

from hostile.making import Maker, encoded, zeros

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<image href="file:///etc/passwd"/><script>alert(1)</script></svg>'
)
LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<svg>&c;</svg>"
)
PDF = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
)
HTML = b"<!doctype html><script>fetch('http://127.0.0.1/')</script>"


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", bytes(1_000_000))
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../x"))
    return stream.getvalue()


def brand(name: bytes) -> bytes:
    """The beginning of an ISO media file (HEIC, AVIF, MP4, JPEG 2000's cousins)."""
    return struct.pack(">I", 24) + b"ftyp" + name + bytes(4) + name + b"mif1" + bytes(400)


class Opener:
    """What an unpickler would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def dicom(elements: bytes, syntax: bytes = b"1.2.840.10008.1.2.1\0") -> bytes:
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    return bytes(128) + b"DICM" + meta + elements


STRANGERS: dict[str, Maker] = {
    "nothing": b"",
    "a zero byte": b"\0",
    "a byte": b"x",
    "a newline": b"\n",
    "a megabyte of zeros": bytes(1_000_000),
    "a megabyte of ones": b"\xff" * 1_000_000,
    "twenty megabytes of zeros": lambda: bytes(20_000_000),
    "noise": np.random.default_rng(1).bytes(100_000),
    "text": b"roses are red\n" * 100,
    "text in UTF-16": "roses are red".encode("utf-16"),
    "html": HTML,
    "svg": SVG.encode(),
    "xml that laughs": LAUGHS.encode(),
    "pdf": PDF,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n",
    "zip": zipped,
    "zip bomb": lambda: b"PK\3\4" + zeros(50_000_000),
    "gzip": gzip.compress(bytes(1_000_000), mtime=0),
    "tar": tarred,
    "elf": b"\x7fELF\2\1\1" + bytes(500),
    "windows program": b"MZ" + bytes(500),
    "java class": b"\xca\xfe\xba\xbe" + bytes(200),
    "webassembly": b"\0asm\1\0\0\0",
    "shell script": b"#!/bin/sh\nrm -rf /\n",
    "python": b"import os; os.system('id')\n",
    "json": json.dumps({"instances": [[0] * 100]}).encode(),
    "json nested": b"[" * 100_000,
    "pickle": lambda: pickle.dumps(Opener()),
    "onnx": b"\x08\x09\x12\x07pytorch\x1a\x011:" + bytes(100),
    "sqlite": b"SQLite format 3\0" + bytes(100),
    "gif": lambda: encoded("GIF"),
    "gif that claims 65535 pixels": b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(30),
    "gif and jar": lambda: encoded("GIF") + zipped(),
    "icon": lambda: encoded("ICO"),
    "mac icon": b"icns" + struct.pack(">I", 16) + b"ic07" + struct.pack(">I", 8),
    "photoshop": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30000, 30000, 8, 3),
    "gimp": b"gimp xcf file\0" + struct.pack(">III", 30000, 30000, 0),
    "jpeg 2000": lambda: encoded("JPEG2000"),
    "jpeg 2000 stream": b"\xff\x4f\xff\x51" + bytes(80),
    "heic": brand(b"heic"),
    "avif": brand(b"avif"),
    "mp4": brand(b"isom"),
    "jpeg xl": b"\xff\x0a" + bytes(100),
    "jpeg xl in a box": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100),
    "fits": b"SIMPLE  =                    T".ljust(2880),
    "flashpix": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
    "tga": b"\0\0\2" + bytes(9) + struct.pack("<HHBB", 60000, 60000, 24, 0),
    "ppm": b"P6 60000 60000 255\n",
    "pcx": b"\x0a\5\1\x08" + bytes(124),
    "dds": b"DDS " + struct.pack("<I", 124) + bytes(120),
    "sgi": b"\x01\xda\x01\x01" + bytes(508),
    "sun raster": b"\x59\xa6\x6a\x95" + struct.pack(">7I", 60000, 60000, 24, 0, 2, 0, 0),
    "windows metafile": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "xpm": b'/* XPM */ static char *x[] = {"60000 60000 1 1"};',
    "wave in riff": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28),
    "mng": b"\x8aMNG\r\n\x1a\n" + bytes(60),
    "jng": b"\x8bJNG\r\n\x1a\n" + bytes(60),
    "png with unix newlines": b"\x89PNG\n\x1a\n" + bytes(60),
    "dicom without anything": dicom(b""),
    "dicom of noise": dicom(np.random.default_rng(2).bytes(3000)),
    "dicom deflated": lambda: dicom(zeros(100_000_000), b"1.2.840.10008.1.2.1.99"),
    "dicom of a million elements": lambda: dicom(
        b"".join(struct.pack("<HH2sH", 9, n & 0xFFFF, b"CS", 0) for n in range(1_000_000))
    ),
    "dicom of a million items": lambda: dicom(
        struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1_000_000
    ),
    "dicom of items without end": lambda: dicom(
        struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        + (
            struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
            + struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        )
        * 5000
    ),
    "dicom whose one item has a million elements": lambda: dicom(
        struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        + b"".join(struct.pack("<HH2sH", 9, n & 0xFFFF, b"CS", 0) for n in range(1_000_000))
    ),
    "dicom that claims 4 billion bytes": dicom(
        struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0xFFFFFFF0)
    ),
}

"""What users' files are like: what cannot be used is counted, located and listed, or refused."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from clinic import Clinic, encode, forge, jpeg, open_clinic, picture
from commands import skincli
from data_sets import edit_metadata, raw_of
from PIL import Image

from skincli.config.schema import Config
from skincli.data import describe, prepare
from skincli.data.raw import ARCHIVES
from skincli.data.storage import SetFolder, read_csv
from skincli.errors import DataError

CANNOT = "image cannot be read"


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path)


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 8
    return exif


def grey_levels() -> Image.Image:
    return Image.fromarray(np.asarray(picture(10).convert("L")).astype(np.uint16) * 257)


def test_all_is_well(clinic: Clinic, progress) -> None:
    manifest = clinic.prepare(progress).prepared.manifest
    assert (manifest.n_images, manifest.n_lesions, manifest.n_rejected) == (7, 7, 0)
    assert progress.warnings == []
    assert not any("converted" in note or "age" in note for note in progress.notes)
    assert not clinic.rejected_file.exists()


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (jpeg(9)[:-300], "the image is truncated or damaged"),
        (encode(picture(9), "PNG")[:-900], "the image is truncated or damaged"),
        (b"", "the file is empty"),
        (b"<html>not found</html>", "this is not an image of a supported format (JPEG, PNG"),
        (jpeg(9)[:11], "the image is truncated or damaged: it ends early"),
        (encode(picture(9, 400, 300)), "the image is 400 x 300 pixels, more than the 100,000"),
        (jpeg(9) + bytes(30_000), "bytes, more than the 30,000 allowed"),
    ],
)
def test_an_image_that_cannot_be_read_is_left_out(
    clinic: Clinic, progress, data: bytes, detail: str
) -> None:
    clinic.config.image.max_megapixels = 0.1
    clinic.config.image.max_megabytes = 0.03
    clinic.add("bad", data)
    prepared = clinic.prepare(progress).prepared
    assert (prepared.manifest.n_images, prepared.manifest.n_rejected) == (7, 1)
    ((line, image_id, reason, found),) = clinic.rejected
    assert (line, image_id, reason) == ("9", "bad", CANNOT)
    assert detail in found
    (warning,) = progress.warnings
    assert warning == (
        f"1 row left out, 7 used; listed in `{clinic.rejected_file}`:\n"
        f"  {CANNOT}: 1 (line 9: {found})"
    )
    assert prepared.rejected[0].detail == found


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (encode(picture(9).convert("L")), "odd", "grayscale"),
        (encode(picture(9).convert("CMYK")), "odd", "cmyk"),
        (encode(grey_levels(), "PNG"), "odd.png", "grayscale, 16-bit"),
        (encode(picture(9), exif=turned()), "odd", "rotated"),
        (encode(picture(9).convert("RGBA"), "PNG"), "odd.png", "transparent"),
    ],
)
def test_an_image_of_another_kind_is_converted_and_told(
    clinic: Clinic, progress, data: bytes, name: str, kind: str
) -> None:
    clinic.add(name, data)
    prepared = clinic.prepare(progress).prepared
    assert f"converted to upright 8-bit RGB, {kind}: 1 (odd)" in progress.notes
    assert progress.warnings == []
    assert prepared.manifest.n_images == 8
    (row,) = (n for n, sample in enumerate(prepared.samples) if sample.image_id == "odd")
    assert prepared.images[row].std() > 10


def test_faults_of_every_kind_are_counted_and_located_at_once(clinic: Clinic, progress) -> None:
    for number in range(7):
        clinic.add(f"gone{number}", None)
    clinic.add("img0", None, "nv")
    clinic.add("old", jpeg(20), age="999")
    clinic.add("wart", jpeg(21), "Wart")
    clinic.add("unnamed", jpeg(22), lesion_id="")
    clinic.add("text", b"text")
    clinic.add("twice.jpg", jpeg(23))
    (clinic.images / "copy").mkdir()
    (clinic.images / "copy" / "twice.png").write_bytes(encode(picture(24), "PNG"))
    (clinic.images / "unlisted.jpg").write_bytes(jpeg(25))
    manifest = clinic.prepare(progress).prepared.manifest
    assert (manifest.n_images, manifest.n_rejected) == (6, 14)
    first, *others = progress.warnings[0].splitlines()
    assert first == f"14 rows left out, 6 used; listed in `{clinic.rejected_file}`:"
    assert sorted(others) == [
        "  age not a number from 0 to 120: 1 (line 17: 999)",
        "  diagnosis not one of akiec bcc bkl df mel nv vasc: 1 (line 18: Wart)",
        "  empty lesion id: 1 (line 19: unnamed)",
        "  image cannot be read: 1 (line 20: this is not an image of a supported format "
        "(JPEG, PNG, WEBP, BMP, TIFF, DICOM))",
        "  image listed with conflicting labels: 2 (line 2: L-img0 akiec; line 16: L-img0 nv)",
        "  image missing: 7 (line 9: gone0; line 10: gone1; line 11: gone2; line 12: gone3; "
        "line 13: gone4; and 2 more)",
        "  several image files of that name: 1 (line 21: twice)",
    ]
    assert progress.warnings[1] == "images without a metadata row: 1 (unlisted)"
    assert len(clinic.rejected) == 14
    assert ("15", "gone6", "image missing", "") in clinic.rejected
    assert describe(clinic.config).rejected["image missing"] == 7


def test_strict_refuses_the_same_and_prepares_nothing(clinic: Clinic, progress) -> None:
    clinic.config.data.strict = True
    clinic.add("gone", None)
    clinic.add("text", b"text")
    with pytest.raises(DataError) as caught:
        clinic.prepare(progress)
    first, *others = caught.value.message.splitlines()
    assert first == "2 rows cannot be used:"
    assert others[0] == "  image missing: 1 (line 9: gone)"
    assert others[1].startswith("  image cannot be read: 1 (line 10: this is not an image")
    assert str(clinic.rejected_file) in caught.value.hint
    assert [row[1] for row in clinic.rejected] == ["gone", "text"]
    folder = SetFolder.of(clinic.config.data)
    assert not folder.prepared.exists()
    assert not folder.splits.exists()


def test_mending_the_rows_mends_the_set(clinic: Clinic, progress) -> None:
    clinic.add("late", None)
    clinic.add("text", b"text")
    assert clinic.prepare(progress).prepared.manifest.n_rejected == 2
    assert not clinic.prepare(progress).created
    (clinic.images / "late.jpg").write_bytes(jpeg(30))
    (clinic.images / "text.jpg").write_bytes(jpeg(31))
    clinic.config.data.strict = True
    result = clinic.prepare(progress)
    assert result.created
    assert (result.prepared.manifest.n_images, result.prepared.rejected) == (9, ())
    assert not clinic.rejected_file.exists()


def test_where_nothing_is_left_there_is_nothing_to_prepare(clinic: Clinic, progress) -> None:
    for path in clinic.images.iterdir():
        path.unlink()
    with pytest.raises(
        DataError, match="7 rows cannot be used, and nothing else is left"
    ) as caught:
        clinic.prepare(progress)
    assert "image missing: 7 (line 2: img0; line 3: img1;" in caught.value.message
    clinic.rows.clear()
    with pytest.raises(DataError, match="the metadata hold no rows"):
        clinic.prepare(progress)
    assert not clinic.rejected_file.exists()


def test_hostile_zip_entries_are_left_out_with_the_rows_that_name_them(
    own_config: Config, progress
) -> None:
    entries = {"../out.jpg": jpeg(1), "locked.jpg": jpeg(2), "big.jpg": bytes(2_000_000)}
    entries |= {"liar.jpg": bytes(2_000_000), "inner.zip": b"-"}
    path = raw_of(own_config) / ARCHIVES[0]
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    forge(path, "locked.jpg", flags=0x1)
    forge(path, "liar.jpg", size=500)
    own_config.image.max_megabytes = 1
    names = ("out", "locked", "big", "liar")
    edit_metadata(own_config, lambda rows: [*rows, *(f"L{i},{i},nv,,,,," for i in names)])
    manifest = prepare(own_config, progress).prepared.manifest
    assert manifest.n_rejected == 5
    rejected = read_csv(SetFolder.of(own_config.data).rejected)
    line = manifest.n_images + 2
    assert [(row["line"], row["reason"], row["detail"]) for row in rejected] == [
        (str(line), "zip entry outside its folder", f"../out.jpg in {path.name}"),
        (str(line + 1), "encrypted zip entry", f"locked.jpg in {path.name}"),
        (str(line + 2), "zip entry larger than image.max_megabytes", f"big.jpg in {path.name}"),
        ("0", "archive inside an archive", f"inner.zip in {path.name}"),
        (str(line + 3), CANNOT, "the file cannot be read (Bad CRC-32 for file 'liar.jpg')"),
    ]
    assert "5 rows left out" in progress.warnings[0]


def test_the_installed_command_says_so_too(clinic: Clinic, progress, tmp_path: Path) -> None:
    clinic.add("gone", None)
    clinic.add("cut", jpeg(9)[:-300])
    clinic.fetch(progress)
    words = (
        "data=folder",
        f"data.root={clinic.config.data.root}",
        f"data.folder.images={clinic.images}",
        f"data.folder.metadata={clinic.table}",
        "data.image_size=32",
    )
    strict = skincli(tmp_path, "data", "prepare", "--strict", *words, code=2)
    assert "error: 2 rows cannot be used:\n  image missing: 1 (line 9: gone)\n" in strict.err
    assert "image cannot be read: 1 (line 10: the image is truncated" in strict.err
    assert f"hint: mend or remove them; all are listed in `{clinic.rejected_file}`" in strict.err
    assert strict.out == ""
    assert len(clinic.rejected) == 2
    default = skincli(tmp_path, "data", "prepare", *words)
    assert default.out.startswith("Prepared 7 images of 7 lesions at 32 px in ")
    assert "left out: 2 rejected" in default.out
    assert "warning: 2 rows left out, 7 used; listed in " in default.err
    assert [row[:3] for row in clinic.rejected] == [
        ("9", "gone", "image missing"),
        ("10", "cut", CANNOT),
    ]
    as_json = skincli(tmp_path, "data", "prepare", "--json", *words)
    assert as_json.data["manifest"]["n_rejected"] == 2
    assert as_json.data["created"] is False

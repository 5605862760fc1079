import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from skincli.config.schema import ImageConfig
from skincli.data.inspecting.duplicates import find_duplicates
from skincli.data.inspecting.hashing import near_pairs, perceptual_hash
from skincli.data.inspecting.look import inspect_images
from skincli.data.reading.images import ImageStore
from skincli.data.synthetic.drawing import draw_lesion, photograph
from skincli.imaging import Limits
from skincli.progress import Silent

LIMITS = Limits.of(ImageConfig())


def jpeg(picture: Image.Image, quality: int = 95) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="JPEG", quality=quality)
    return stream.getvalue()


def drawn(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.open(io.BytesIO(photograph(draw_lesion("nv", rng), rng))).convert("RGB")


def pairs_in(folder: Path, files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    images = folder / "images"
    images.mkdir()
    for name, data in files.items():
        (images / f"{name}.jpg").write_bytes(data)
    store = ImageStore.of_folder(images)
    inspection = inspect_images(folder / "seen", store, sorted(files), LIMITS, Silent())
    lesions = {name: f"lesion of {name}" for name in files}
    found = find_duplicates(lesions, inspection, Silent())
    assert all(pair.first < pair.second for pair in found)
    return [(pair.first, pair.second, pair.kind) for pair in found]


CHANGES = {
    "re-encoded": lambda p: Image.open(io.BytesIO(jpeg(p, 40))),
    "halved": lambda p: p.resize((p.width // 2, p.height // 2), Image.Resampling.BICUBIC),
    "enlarged": lambda p: p.resize((p.width * 2, p.height * 2), Image.Resampling.BICUBIC),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.15),
    "more contrast": lambda p: ImageEnhance.Contrast(p).enhance(1.2),
    "paler": lambda p: ImageEnhance.Color(p).enhance(0.4),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned": lambda p: p.rotate(90, expand=True),
    "turned and mirrored": lambda p: ImageOps.mirror(p.rotate(270, expand=True)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(tmp_path: Path, change: str) -> None:
    files = {f"other{seed}": jpeg(drawn(seed)) for seed in range(6)}
    files |= {"original": jpeg(drawn(50)), "copy": jpeg(CHANGES[change](drawn(50)))}
    assert pairs_in(tmp_path, files) == [("copy", "original", "near")]


def test_the_same_file_is_found_once_for_each_copy(tmp_path: Path) -> None:
    files = {f"copy{n}": jpeg(drawn(1)) for n in range(5)} | {"other": jpeg(drawn(2))}
    expected = [("copy0", f"copy{n}", "file") for n in range(1, 5)]
    assert pairs_in(tmp_path, files) == expected


def test_empty_pictures_are_alike_only_if_they_are_the_same_file(tmp_path: Path) -> None:
    files = {
        "black": jpeg(Image.new("RGB", (60, 40))),
        "white": jpeg(Image.new("RGB", (60, 40), "white")),
        "white too": jpeg(Image.new("RGB", (60, 40), "white")),
    }
    assert pairs_in(tmp_path, files) == [("white", "white too", "file")]


def test_near_pairs_are_those_that_trying_all_would_find() -> None:
    rng = np.random.default_rng(0)
    smooth = 128 + 40 * rng.normal(size=(150, 4, 4)).repeat(8, axis=1).repeat(8, axis=2)
    views = np.concatenate([smooth + rng.normal(size=smooth.shape) * noise for noise in (5, 9, 30)])
    hashes = perceptual_hash(views.clip(0, 255).astype(np.uint8))
    distance = np.bitwise_count(hashes.words[:, None] ^ hashes.words)
    expected = np.argwhere(np.triu(distance <= 8, 1))
    assert 50 < len(expected) < 440
    assert np.array_equal(near_pairs(hashes, hashes, 8), expected)


def test_a_hash_has_63_bits_as_sums_of_the_image_itself() -> None:
    thumbnail = np.random.default_rng(0).integers(0, 256, (1, 32, 32), dtype=np.uint8)
    found = perceptual_hash(thumbnail)
    assert found.bits.shape == (1, 63)
    assert found.bits.sum() == 31
    assert int(np.bitwise_count(found.words)[0]) == 31


def test_published_duplicates_are_found_in_ham10000(real_data: Path, tmp_path: Path) -> None:
    """Two pairs are byte-identical, each within a lesion; ISIC_0030074 is a recoloured copy."""
    folder = real_data / "ham10000-200x150"
    archives = [folder / f"HAM10000_images_part_{n}.zip" for n in (1, 2)]
    with ImageStore.of_archives(archives, LIMITS) as store:
        digests: dict[str, list[str]] = {}
        for image_id in sorted(store.ids):
            digests.setdefault(hashlib.sha256(store.read(image_id)).hexdigest(), []).append(
                image_id
            )
        same = [ids for ids in digests.values() if len(ids) > 1]
        copies = {image_id for ids in same for image_id in ids}
        chosen = sorted(copies | {"ISIC_0025226", "ISIC_0030074"} | set(sorted(store.ids)[:500]))
        inspection = inspect_images(tmp_path, store, chosen, LIMITS, Silent())
    found = find_duplicates(dict.fromkeys(chosen, "L"), inspection, Silent())
    assert sorted([p.first, p.second] for p in found if p.kind == "file") == sorted(same)
    assert len(same) == 2
    assert ("ISIC_0025226", "ISIC_0030074") in {(p.first, p.second) for p in found}

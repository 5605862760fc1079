import csv
import os
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from bundles import tiny_bundle
from PIL import Image

from skincli.bundle import MODEL_FILE, Bundle, seal
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.imaging import Limits, read_input
from skincli.inference.engine import Classifier
from skincli.prediction.predict import predict
from skincli.prediction.table import write_csv
from skincli.progress import Silent

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    return tiny_bundle(tmp_path_factory.mktemp("model") / "bundle")


@pytest.fixture
def photos(tmp_path):
    """Two good photos around a bad one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(folder / "a.jpg", "red")
    (folder / "b.jpg").write_bytes(b"not an image")
    photo(folder / "c.png", "blue")
    return folder


def photo(path, colour, size=(450, 300)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(colour)).integers(-30, 30, (size[1], size[0], 3))
    Image.fromarray((COLOURS[colour] + pixels).astype(np.uint8)).save(path)


def ask(bundle, *paths, config=None, heatmaps=None):
    return predict(config or Config(), list(paths), str(bundle.folder), Silent(), heatmaps)


def test_rows_say_what_the_bundle_says(bundle, photos):
    result = ask(bundle, photos)
    row = result.rows[2]
    pixels = read_input((photos / "c.png").read_bytes(), 32, "center", Limits(10**7, 10**7))
    scores = Classifier(bundle).score(pixels[None])
    expected = scores.probabilities[0]
    top = bundle.spec.classes[expected.argmax()]
    assert (row.path, row.code, row.name) == (photos / "c.png", top.code, top.name)
    assert list(row.probabilities) == [info.code for info in bundle.spec.classes]
    assert list(row.probabilities.values()) == pytest.approx(expected, abs=1e-5)
    assert row.probability == max(row.probabilities.values())
    assert row.malignant_probability == pytest.approx(scores.malignant[0], abs=1e-5)
    assert (result.bundle_digest, result.synthetic) == (bundle.digest, True)


def test_the_decision_is_taken_at_the_operating_point(tmp_path, bundle):
    for name in COLOURS:
        photo(tmp_path / "in" / f"{name}.png", name)
    rows = ask(bundle, tmp_path / "in").rows
    decisions = [row.malignant for row in rows]
    assert decisions == [row.malignant_probability >= 0.25 for row in rows]
    assert set(decisions) == {True, False}


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_a_bad_image_gets_a_row_with_its_error_and_stops_no_other(bundle, photos, batch_size):
    config = Config()
    config.inference.batch_size = batch_size
    result = ask(bundle, photos, config=config)
    assert [row.path.name for row in result.rows] == ["a.jpg", "b.jpg", "c.png"]
    assert [row.error is None for row in result.rows] == [True, False, True]
    assert "not an image" in result.rows[1].error
    assert result.rows[1].code is result.rows[1].probabilities is None
    assert result.rows[0].code != result.rows[2].code
    assert result.n_errors == 1


def test_bad_images_alone_are_still_a_result(bundle, photos):
    result = ask(bundle, photos / "b.jpg")
    assert result.n_errors == len(result.rows) == 1


def test_a_file_that_the_system_will_not_read_is_a_row(bundle, photos):
    # Address 0 of a process is never mapped: reading it fails for every user.
    result = ask(bundle, Path("/proc/self/mem"), photos / "a.jpg")
    assert "cannot be read" in result.rows[0].error
    assert result.rows[1].error is None


def test_a_file_above_the_limit_is_not_read(bundle, tmp_path):
    config = Config()
    config.image.max_megabytes = 1
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as stream:
        stream.truncate(10**12)
    row = ask(bundle, huge, config=config).rows[0]
    assert row.error == "the file has 1,000,000,000,000 bytes, more than the 1,000,000 allowed"


def test_an_answer_that_is_no_number_is_an_error_not_a_benign_lesion(bundle, photos, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    graph = (bundle.folder / MODEL_FILE).read_bytes()
    scale = np.array(1 / 255, np.float32).tobytes()
    assert graph.count(scale) == 1
    (broken / MODEL_FILE).write_bytes(graph.replace(scale, np.float32(np.nan).tobytes()))
    shutil.copyfile(bundle.reference, broken / bundle.reference.name)
    sealed = seal(broken, bundle.spec, {"key": "k", "files": [], "lesions": []})
    row = ask(sealed, photos / "a.jpg").rows[0]
    assert row.malignant is None
    assert "finite" in row.error


def test_heat_maps_show_the_region_seen_without_a_change_of_the_answer(bundle, photos, tmp_path):
    plain = ask(bundle, photos)
    result = ask(bundle, photos, heatmaps=tmp_path / "maps")
    assert [row.probabilities for row in result.rows] == [row.probabilities for row in plain.rows]
    assert result.rows[1].heatmap is None
    with Image.open(result.rows[0].heatmap) as image:
        assert image.size == (256, 256)
    assert {path.name for path in (tmp_path / "maps").iterdir()} == {
        "a.heatmap.png",
        "c.heatmap.png",
    }


def test_heat_maps_follow_the_predicted_class(bundle, tmp_path):
    # Only the left half holds the colour that the predicted class lives on.
    half = np.zeros((256, 256, 3), np.uint8)
    half[:, :128] = COLOURS["red"]
    Image.fromarray(half).save(tmp_path / "half.png")
    row = ask(bundle, tmp_path / "half.png", heatmaps=tmp_path / "maps").rows[0]
    with Image.open(row.heatmap) as image:
        changed = np.abs(np.asarray(image).astype(int) - half).sum(axis=2)
    assert changed[:, :100].mean() > 10 * changed[:, 156:].mean()


def test_heat_maps_of_files_with_one_name_do_not_collide(bundle, tmp_path):
    for name in ("one/x.jpg", "two/x.jpg", "two/X.png"):
        photo(tmp_path / name, "green")
    folders = [tmp_path / "one", tmp_path / "two"]
    rows = ask(bundle, *folders, heatmaps=tmp_path / "maps").rows
    names = [row.heatmap.name for row in rows]
    assert len({name.casefold() for name in names}) == 3
    assert all(row.heatmap.is_file() for row in rows)


def test_heat_maps_never_write_over_an_image_that_was_named(bundle, tmp_path):
    photo(tmp_path / "x.jpg", "red")
    photo(tmp_path / "x.heatmap.png", "blue")
    before = (tmp_path / "x.heatmap.png").read_bytes()
    ask(bundle, tmp_path / "x.jpg", tmp_path / "x.heatmap.png", heatmaps=tmp_path)
    assert (tmp_path / "x.heatmap.png").read_bytes() == before


def test_a_heat_map_folder_that_cannot_be_made_is_said_so(bundle, photos):
    with pytest.raises(SkincliError, match="cannot be written"):
        ask(bundle, photos, heatmaps=photos / "a.jpg")


def test_the_table_holds_every_row_and_brings_floats_back(bundle, photos, tmp_path):
    result = ask(bundle, photos)
    target = tmp_path / "new" / "table.csv"
    write_csv(result, target)
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["path"] for row in rows] == [str(row.path) for row in result.rows]
    for cells, row in zip(rows, result.rows, strict=True):
        assert cells["predicted"] == (row.code or "")
        assert cells["error"] == (row.error or "")
        for code, value in (row.probabilities or {}).items():
            assert np.float32(cells[f"p_{code}"]) == np.float32(value)
    assert rows[1]["malignant"] == rows[1]["probability"] == ""
    assert rows[0]["malignant"] in {"0", "1"}
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def test_file_names_that_are_no_text_survive_the_table(bundle, tmp_path):
    stream = BytesIO()
    Image.new("RGB", (40, 40), "red").save(stream, "PNG")
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(name, "wb") as file:  # noqa: PTH123  (Path takes no bytes)
        file.write(stream.getvalue())
    write_csv(ask(bundle, tmp_path), tmp_path / "table.csv")
    assert name in (tmp_path / "table.csv").read_bytes()


def test_a_table_that_cannot_be_written_is_said_so(bundle, photos):
    with pytest.raises(SkincliError, match="cannot be written"):
        write_csv(ask(bundle, photos / "a.jpg"), photos)

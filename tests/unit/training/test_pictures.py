"""Pictures of a run: what is in them, for long and short runs and for figures that are missing."""

import math

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from skincli.data import PARTS
from skincli.training.pictures.balance import balance_figure
from skincli.training.pictures.canvas import save_png
from skincli.training.pictures.curves import curves_figure
from skincli.training.pictures.samples import samples_figure

CODES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]


def epochs(count):
    return [
        {
            "epoch": float(epoch),
            "train_loss": 2.0 / (epoch + 1),
            "validation_loss": 2.1 / (epoch + 1),
            "validation_balanced_accuracy": 0.3 + 0.001 * epoch,
            "validation_macro_auroc": 0.6 + 0.001 * epoch,
            "learning_rate": 1e-3,
            "images_per_second": 1000.0,
            "seconds": 2.0,
        }
        for epoch in range(count)
    ]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def marks(figure):
    return [
        tuple(line.get_xydata()[0])
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() == "D"
    ]


@pytest.mark.parametrize("count", [1, 2, 300])
def test_curves_mark_the_epoch_that_was_kept_counting_from_one(count, tmp_path):
    figure = curves_figure(epochs(count), count - 1, "curves (synthetic data)")
    kept = 0.6 + 0.001 * (count - 1), 0.3 + 0.001 * (count - 1)
    assert marks(figure) == [(count, pytest.approx(score)) for score in kept]
    written = texts(figure)
    assert f"curves (synthetic data): epoch {count} kept" in written
    assert f"balanced accuracy {kept[1]:.3f}" in written
    ticks = [tick for tick in figure.axes[0].get_xticks() if 1 <= tick <= count]
    assert ticks
    assert all(tick == int(tick) for tick in ticks)
    save_png(figure, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width > 1000


def test_an_epoch_alone_is_a_dot_and_300_are_a_line():
    [dot] = {line.get_marker() for line in curves_figure(epochs(1), None, "").axes[0].lines}
    [line] = {line.get_marker() for line in curves_figure(epochs(300), None, "").axes[0].lines}
    assert (dot, line) == ("o", "None")


def test_missing_figures_leave_gaps_and_are_named(tmp_path):
    rows = epochs(5)
    rows[2]["train_loss"] = math.inf
    for row in rows:
        row["validation_macro_auroc"] = math.nan
        del row["images_per_second"]
    figure = curves_figure(rows, 2, "curves")
    save_png(figure, tmp_path / "curves.png")
    written = texts(figure)
    assert "macro AUROC –" in written
    assert "images per second (right) –" in written
    assert len(marks(figure)) == 1  # the AUROC of the kept epoch cannot be marked
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).tolist() == [
        False,
        False,
        True,
        *[False] * 2,
    ]


def test_balance_gives_the_number_of_every_bar_even_of_none():
    images = {part: [10 * n for n in range(7)] for part in PARTS}
    lesions = {part: list(range(7)) for part in PARTS}
    figure = balance_figure(CODES, images, lesions, "balance (synthetic data)")
    upper, lower = figure.axes
    assert (upper.get_yscale(), lower.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in lower.get_xticklabels()] == CODES
    numbers = [text.get_text() for text in upper.texts]
    assert sorted(numbers) == sorted([str(10 * n) for n in range(7)] * len(PARTS))
    low, high = upper.get_ylim()
    assert low < 1
    assert high > 60
    assert "train (210)" in texts(figure)
    assert "train (21)" in texts(figure)


def test_samples_stand_in_rows_with_the_plain_image_first():
    plain = np.zeros((3, 32, 32, 3), dtype=np.uint8)
    plain[:] = np.array([50, 100, 150], dtype=np.uint8)[:, None, None, None]
    augmented = [plain + 1 + draw for draw in range(7)]
    figure = samples_figure(plain, augmented, ["mel", "mel", "nv"], "samples (synthetic data)")
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    side = sheet.shape[1] // 8
    for row, value in enumerate((50, 100, 150)):
        line = sheet[row * sheet.shape[0] // 3 + 40, :, 0]
        shown = [line[int(column * side + side / 2)] for column in range(8)]
        assert shown == [value, *(value + 1 + draw for draw in range(7))]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["mel", "mel", "nv"]
    assert "samples (synthetic data)" in texts(figure)


@pytest.mark.parametrize("size", [16, 112, 450])
def test_samples_of_any_size_make_a_picture_of_one_size(size, tmp_path):
    plain = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    save_png(samples_figure(plain, [plain] * 7, ["a", "b"], ""), tmp_path / "samples.png")
    with Image.open(tmp_path / "samples.png") as image:
        assert (800 < image.width < 1300, image.height < 400) == (True, True)


def test_a_picture_that_cannot_be_written_leaves_the_one_before(tmp_path):
    target = tmp_path / "curves.png"
    target.write_bytes(b"before")
    (tmp_path / "curves.png.partial").mkdir()
    with pytest.raises(OSError, match="partial"):
        save_png(curves_figure(epochs(1), None, ""), target)
    assert target.read_bytes() == b"before"

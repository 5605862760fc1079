"""`predictions.csv`: what is written is read back, and nothing else is taken for it."""

import csv
from dataclasses import fields

import numpy as np
import pytest
from answering import drawn_predictions

from skincli.data import Sample
from skincli.errors import DataError
from skincli.evaluation.figures import all_figures
from skincli.evaluation.predictions import read_predictions, write_predictions


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_every_bit_comes_back(tmp_path, task):
    written = drawn_predictions(4, 50, task=task)
    write_predictions(tmp_path / "p.csv", written)
    read = read_predictions(tmp_path / "p.csv")
    for field in fields(written):
        there, back = getattr(written, field.name), getattr(read, field.name)
        if isinstance(there, np.ndarray):
            assert back.dtype == there.dtype
            assert (back == there).all()
        else:
            assert back == there
    weights = np.ones((1, 50))
    ours, theirs = all_figures(written)(weights), all_figures(read)(weights)
    assert all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in ours)


def test_no_image_is_read_back_as_none(tmp_path):
    write_predictions(tmp_path / "p.csv", drawn_predictions().of(np.zeros(0, dtype=np.intp)))
    assert read_predictions(tmp_path / "p.csv").probabilities.shape == (0, 7)


def test_text_that_csv_must_quote_comes_back(tmp_path):
    predictions = drawn_predictions(0, 2)
    odd = {f.name: getattr(predictions.samples[0], f.name) for f in fields(Sample)}
    odd |= {"localization": 'left "lower", leg\nbelow', "dataset": "Zürich; =1+1"}
    object.__setattr__(predictions, "samples", (Sample(**odd), predictions.samples[1]))
    write_predictions(tmp_path / "p.csv", predictions)
    assert read_predictions(tmp_path / "p.csv").samples[0].localization == odd["localization"]


def spoil(path, column, value):
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[3][column] = value
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [("p_mel", "much"), ("predicted", "wart"), ("dx", "wart"), ("age", "old"), ("ood_score", "")],
)
def test_a_damaged_cell_is_said_so(tmp_path, column, value):
    path = tmp_path / "p.csv"
    write_predictions(path, drawn_predictions(0, 10))
    spoil(path, column, value)
    with pytest.raises(DataError, match=r"p\.csv` is not as `skincli evaluate` writes it"):
        read_predictions(path)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"image_id,dx\n\xff\xfe,mel\n", b"\x00"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(DataError, match="not as `skincli evaluate` writes it"):
        read_predictions(tmp_path / "p.csv")


def test_a_row_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "p.csv"
    write_predictions(path, drawn_predictions(0, 10))
    path.write_text(path.read_text()[:-60])
    with pytest.raises(DataError, match="not as"):
        read_predictions(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(tmp_path / "none.csv")

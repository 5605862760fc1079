"""Mermaid charts: their grammar, and that they show what they are given."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telling import facts

from skincli.reporting.charts import Axis, bars, chart, thinned
from skincli.reporting.curves import roc_and_reliability, training

AXIS = Axis(name="epoch", start=1, end=3)
# https://mermaid.js.org/syntax/xyChart.html, as far as it is used here. No number has an exponent.
NUMBER = r"-?\d+(?:\.\d+)?"
LINES = (
    r'x-axis "[\w -]+" (?:\d+(?:\.\d+)? --> \d+(?:\.\d+)?|\["\d+"(?:, "\d+")*\])',
    rf'y-axis "[\w ]+" 0 --> {NUMBER}',
    rf"(?:line|bar) \[{NUMBER}(?:, {NUMBER})*\]",
)


def drawings(markdown):
    """The statements of every chart, all of which must be well-formed."""
    found = re.findall(r"^```mermaid\n(.*?)\n^```$", markdown, re.DOTALL | re.MULTILINE)
    for text in found:
        _, settings, body = re.split(r"^---\n", text, flags=re.MULTILINE)
        assert settings.startswith("config:\n")
        name, *lines = body.splitlines()
        assert name == "xychart-beta"
        for line in lines:
            assert any(re.fullmatch(f"  {rule}", line) for rule in LINES), line
    return [text.splitlines() for text in found]


def numbers(line):
    return [float(each) for each in line.partition("[")[2].rstrip("]").split(", ")]


def test_lines_stand_under_a_legend_in_the_order_of_their_colours():
    found = chart(AXIS, "loss", 2.1, {"training": [2, 1, 0.5], "validation": [2.05, 1.5, 1]})
    assert found.startswith("🟦 training 🟧 validation\n")
    [drawing] = drawings(found)
    assert '  x-axis "epoch" 1 --> 3' in drawing
    assert '  y-axis "loss" 0 --> 2.1000' in drawing
    assert list(map(numbers, drawing[-2:])) == [[2, 1, 0.5], [2.05, 1.5, 1]]


@pytest.mark.parametrize("bad", [None, 1e7, float("inf")])
def test_what_cannot_be_drawn_is_said_and_the_rest_is_drawn(bad):
    found = chart(AXIS, "loss", 2, {"training": [2, bad, 0.5], "validation": [2, 1.5, 1]})
    assert found.startswith("🟦 validation\n")
    assert "Not drawn, for want of finite figures: training." in found
    [drawing] = drawings(found)
    assert sum(line.startswith("  line") for line in drawing) == 1
    alone = chart(AXIS, "loss", 2, {"training": [bad]})
    assert drawings(alone) == []


@given(st.lists(st.floats(0, 1e6, exclude_max=True, allow_subnormal=True), min_size=2, max_size=9))
def test_every_line_is_well_formed(values):
    [drawing] = drawings(chart(AXIS, "loss", max(values) or 1, {"training": values}))
    assert numbers(drawing[-1]) == pytest.approx(values, abs=1e-4)


def test_bars_are_numbered():
    [drawing] = drawings(bars("images by rising confidence", [0.5, 0.8, 1], [0.4, 0.9, 0.95]))
    assert drawing[-4].endswith('["1", "2", "3"]')
    assert [line.split()[0] for line in drawing[-2:]] == ["bar", "line"]


@pytest.mark.parametrize(("n", "kept"), [(0, 0), (1, 1), (100, 100), (101, 51), (1000, 100)])
def test_long_trainings_are_thinned_at_even_distances_up_to_the_last_epoch(n, kept):
    rows = [{"epoch": float(number)} for number in range(n)]
    found = [row["epoch"] for row in thinned(rows)]
    assert len(found) == kept
    assert found[-1:] == [row["epoch"] for row in rows[-1:]]
    assert len({b - a for a, b in pairwise(found)}) <= 1


def test_a_training_shows_its_losses_and_scores_by_epochs_counted_from_1():
    text = training(facts(epochs=3).epochs)
    losses, scores = drawings(text)
    assert '  x-axis "epoch" 1 --> 3' in losses
    assert numbers(losses[-2]) == pytest.approx([2, 1, 2 / 3], abs=1e-4)
    assert numbers(scores[-1]) == [0.95, 0.95, 0.95]
    assert "3 epochs. Best balanced accuracy on the validation part: 0.900, in epoch 2." in text


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ([], "holds no figures of single epochs"),
        ([{"epoch": 0.0, "validation_balanced_accuracy": 0.5}], "One epoch. Best balanced accur"),
        ([{"epoch": 0.0}, {"epoch": 1.0}], "Not drawn, for want of finite figures: training, val"),
    ],
)
def test_a_training_without_curves_says_so(epochs, said):
    text = training(epochs)
    assert said in text
    assert drawings(text) == []


def test_the_champion_is_drawn_beside_the_model():
    roc, reliability = drawings(roc_and_reliability(facts().measured))
    assert sum(line.startswith("  line") for line in roc) == 3
    assert len(reliability) > 4
    alone = roc_and_reliability(facts(champion=False).measured)
    assert sum(line.startswith("  line") for line in drawings(alone)[0]) == 2
    assert "🟦 this model 🟧 chance" in alone

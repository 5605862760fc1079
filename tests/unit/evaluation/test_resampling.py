"""The bootstrap over lesions: what it draws, what it says, and that it says it again."""

import time

import numpy as np
import pytest
from answering import drawn_predictions

from skincli.evaluation import resampling
from skincli.evaluation.figures import all_figures
from skincli.evaluation.resampling import intervals, point_figures, resampled
from skincli.progress import Silent


def weights_themselves(n):
    """A measure that tells how often each image was drawn."""
    return lambda weights: {str(row): weights[:, row] for row in range(n)}


def drawn(lesions, resamples=300, seed=0):
    found = resampled(weights_themselves(len(lesions)), lesions, resamples, seed, Silent())
    return np.stack([found[str(row)] for row in range(len(lesions))], axis=1)


def test_lesions_are_drawn_and_bring_all_their_images():
    lesions = ["a", "b", "a", "c", "c", "c", "d"]
    times = drawn(lesions)
    assert (times[:, 0] == times[:, 2]).all()
    assert (times[:, 3] == times[:, 4]).all()
    assert (times[:, 4] == times[:, 5]).all()
    # As many lesions as there are, each as likely as the others.
    assert (times[:, [0, 1, 3, 6]].sum(axis=1) == 4).all()
    assert times[:, [0, 1, 3, 6]].mean(axis=0) == pytest.approx(np.ones(4), abs=0.2)
    assert len(np.unique(times, axis=0)) > 20


def test_the_same_seed_draws_the_same_in_whatever_order_threads_end(monkeypatch):
    lesions = [f"l{row // 3}" for row in range(60)]
    first = drawn(lesions)
    assert (drawn(lesions) == first).all()
    assert (drawn(lesions, seed=1) != first).any()
    # 300 resamples in pieces of 7, the last one shorter: each has a stream of its own.
    monkeypatch.setattr(resampling, "_CELLS", 60 * 7)
    pieces = drawn(lesions)
    assert pieces.shape == first.shape
    assert len(np.unique(pieces[:14], axis=0)) == 14


def test_an_interval_is_as_wide_as_lesions_are_few():
    """Two images of a lesion that agree are worth one: the width is that of the lesions."""
    rng = np.random.default_rng(0)
    lesion_right = (rng.random(200) < 0.7).astype(np.float64)
    right = np.repeat(lesion_right, 2)
    lesions = [f"l{row // 2}" for row in range(400)]

    def accuracy(weights):
        return {"accuracy": weights @ right / weights.sum(axis=1)}

    point = point_figures(accuracy, 400)
    [found] = intervals(point, resampled(accuracy, lesions, 2000, 0, Silent())).values()
    share = lesion_right.mean()
    deviation = np.sqrt(share * (1 - share) / 200)
    assert found.value == pytest.approx(share)
    assert found.high - found.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)
    alone = resampled(accuracy, [str(row) for row in range(400)], 2000, 0, Silent())
    [narrow] = intervals(point, alone).values()
    assert narrow.high - narrow.low == pytest.approx((found.high - found.low) / 2**0.5, rel=0.1)


def test_resamples_that_define_nothing_are_left_out_and_counted():
    predictions = drawn_predictions(0, 40)
    only = np.flatnonzero(predictions.labels != 3)
    kept = np.sort(np.append(only, np.flatnonzero(predictions.labels == 3)[:1]))
    predictions = predictions.of(kept)
    measure = all_figures(predictions)
    point = point_figures(measure, len(kept))
    found = intervals(point, resampled(measure, predictions.lesions, 1000, 0, Silent()))
    # One lesion of so many is missed by about 1/e of the resamples.
    assert found["per_class.df.auroc"].undefined == pytest.approx(np.exp(-1), abs=0.08)
    assert found["accuracy"].undefined == 0
    low, high = found["per_class.df.auroc"].low, found["per_class.df.auroc"].high
    assert 0 <= low <= found["per_class.df.auroc"].value <= high <= 1


def test_a_figure_that_the_images_do_not_define_has_no_interval():
    predictions = drawn_predictions(0, 40)
    predictions = predictions.of(np.flatnonzero(predictions.labels != 4))
    measure = all_figures(predictions)
    point = point_figures(measure, len(predictions.labels))
    found = intervals(point, resampled(measure, predictions.lesions, 200, 0, Silent()))
    assert point["melanoma_sensitivity"] is None
    assert "melanoma_sensitivity" not in found
    assert "per_class.mel.auroc" not in found


class Counting(Silent):
    """Adds up what is reported."""

    def __init__(self):
        self.done = 0

    def step(self, title, total, unit=""):
        self.total = total
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def advance(self, amount=1, **_):
        self.done += amount


def test_progress_counts_every_resample():
    progress = Counting()
    resampled(weights_themselves(4), list("aabc"), 1001, 0, progress)
    assert progress.done == progress.total == 1001


def test_ten_thousand_images_take_seconds():
    """Under 5 s on two cores; three times that where others work beside."""
    predictions = drawn_predictions(0, 10_000)
    began = time.perf_counter()
    resampled(all_figures(predictions), predictions.lesions, 2000, 0, Silent())
    assert time.perf_counter() - began < 15

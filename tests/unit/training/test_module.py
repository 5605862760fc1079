import numpy as np
import pytest
import torch

from skincli.training.module import class_weights, schedule_at


def test_class_weights_balance_as_their_power_says():
    counts = [90, 10, 0]
    np.testing.assert_allclose(class_weights(counts, 0.0), [1, 1, 0], rtol=1e-6)
    full = class_weights(counts, 1.0)
    assert full[1] / full[0] == pytest.approx(9)
    assert (full * torch.tensor(counts)).sum() / 100 == pytest.approx(1)
    half = class_weights(counts, 0.5)
    assert half[1] / half[0] == pytest.approx(3)


def test_the_schedule_warms_up_and_comes_down_to_nothing():
    rates = [schedule_at(step, 100, 0.1) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0)

import numpy as np
import pytest
import torch
from skincli.models.module import class_weights, parameter_groups, schedule_at


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


def test_norms_and_biases_do_not_decay():
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    decayed, free = parameter_groups(net, 0.1)
    assert len(decayed["params"]) == 1
    assert len(free["params"]) == 3
    assert free["weight_decay"] == 0.0

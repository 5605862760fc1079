"""The running mean of the weights, beside the same sum by hand."""

from types import SimpleNamespace

import lightning.pytorch as pl
import torch
from torch import nn

from skincli.training.averaging import RunningMean


class Small(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def begun(module, horizon):
    mean = RunningMean(horizon)
    mean.setup(None, module, "fit")
    mean.on_fit_start(None, module)
    return mean


def step(mean, module, number):
    """What a step of training does to a module, and what follows it."""
    torch.manual_seed(number)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight))
    module.layers(torch.randn(8, 3))  # moves the norm statistics
    mean.on_train_batch_end(SimpleNamespace(global_step=number), module, None, None, 0)


def test_the_mean_forgets_its_start_and_then_looks_back_over_the_horizon():
    module = Small()
    mean = begun(module, horizon=5)
    expected = {}
    for number in range(1, 30):
        step(mean, module, number)
        decay = min(1 - 1 / 5, number / (9 + number)) if number > 1 else 0.0
        for name, now in module.state_dict().items():
            if now.is_floating_point():
                before = expected.get(name, torch.zeros_like(now))
                expected[name] = decay * before + (1 - decay) * now
            else:
                expected[name] = now.clone()
    found = mean._average_model.module.state_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    assert mean._average_model.n_averaged == 29


def test_a_step_that_changed_no_weight_is_not_counted():
    module = Small()
    mean = begun(module, horizon=5)
    step(mean, module, 1)
    before = {name: value.clone() for name, value in mean._average_model.state_dict().items()}
    step(mean, module, 1)
    for name, value in mean._average_model.state_dict().items():
        assert (value == before[name]).all()


def test_the_mean_lies_where_the_network_is_moved_to_before_training():
    """Lightning makes the mean, then moves the network: a mean left behind costs copies a step."""
    module = Small()
    mean = RunningMean(5)
    mean.setup(None, module, "fit")
    module.to("meta")  # a device that every machine has
    mean.on_fit_start(None, module)
    assert {p.device.type for p in mean._average_model.module.parameters()} == {"meta"}
    assert mean._average_model.n_averaged.device.type == "cpu"
    step_on = SimpleNamespace(global_step=1)
    mean.on_train_batch_end(step_on, module, None, None, 0)

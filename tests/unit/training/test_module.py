import numpy as np
import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from skincli.config.schema import Config
from skincli.training.fit import build_network, new_module
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


@pytest.fixture
def group(tmp_path):
    """A process group of this process alone."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def test_ranks_wait_for_nothing_in_a_pass_of_validation(group):
    config = Config()
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 8
    module = new_module(config, build_network(config), np.arange(7), steps_per_epoch=1)
    assert len(list(module.network.buffers())) > 2
    assert not DistributedDataParallel(module).will_sync_module_buffers()

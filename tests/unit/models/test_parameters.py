"""Which parameters learn how fast, and a backbone that stands still while it is frozen."""

import pytest
import torch

from skincli.config.training import ModelConfig
from skincli.models.backbones import build_backbone
from skincli.models.network import Network
from skincli.models.parameters import backbone_stages, freeze_backbone, parameter_groups


def new_network(name="small_resnet"):
    config = ModelConfig(backbone=name, pretrained=False, width=4, drop_path=0.0)
    return Network(build_backbone(config), n_classes=3, dropout=0.0)


def test_without_layer_decay_norms_and_biases_are_spared_and_all_learn_alike():
    network = new_network()
    kernels, vectors = parameter_groups(network, 0.1, 0.05, 1.0)
    assert (kernels["weight_decay"], vectors["weight_decay"]) == (0.05, 0.0)
    assert (kernels["lr"], vectors["lr"]) == (0.1, 0.1)
    assert all(p.ndim > 1 for p in kernels["params"])
    assert all(p.ndim == 1 for p in vectors["params"])
    assert any(p is network.head.bias for p in vectors["params"])


# One of each family, and how often its map gets smaller before, between and after blocks.
@pytest.mark.parametrize(
    ("name", "stages"),
    [
        *(("small_resnet", 4), ("resnet18", 5), ("shufflenet_v2_x0_5", 4), ("mobilenet_v2", 5)),
        *(("mobilenet_v3_small", 5), ("efficientnet_b0", 5), ("regnet_x_400mf", 5)),
        *(("densenet121", 5), ("convnext_tiny", 4)),
    ],
)
def test_every_stage_learns_more_slowly_than_the_one_after_it(name, stages):
    network = new_network(name)
    assert len(backbone_stages(network.backbone)) == stages
    groups = parameter_groups(network, 0.1, 0.05, 0.5)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    in_order = [rates[id(p)] for p in network.parameters()]
    assert len(rates) == len(in_order) == sum(len(group["params"]) for group in groups)
    assert in_order == sorted(in_order)
    assert in_order[-1] == 0.1  # the head
    assert sorted(set(in_order)) == pytest.approx([0.1 * 0.5**n for n in range(stages, -1, -1)])
    halved = [0.5 * group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.LambdaLR(torch.optim.AdamW(groups), lambda _: 0.5)
    assert schedule.get_last_lr() == pytest.approx(halved)


def test_convnexts_layer_scale_is_not_decayed():
    network = new_network("convnext_tiny")
    spared = {id(p) for p in parameter_groups(network, 0.1, 0.05, 1.0)[1]["params"]}
    scales = [p for name, p in network.named_parameters() if name.endswith("layer_scale")]
    assert scales
    assert all(id(p) in spared for p in scales)


def test_a_frozen_backbone_stands_still_and_thaws_again():
    network = new_network().train()
    optimizer = torch.optim.AdamW(parameter_groups(network, 0.1, 0.05, 0.5))

    def step():
        optimizer.zero_grad()
        network(torch.rand(4, 3, 32, 32)).square().sum().backward()
        optimizer.step()

    def state():
        return {key: value.clone() for key, value in network.state_dict().items()}

    before = state()
    freeze_backbone(network, True)
    step()
    frozen = state()
    changed = {key for key in before if not torch.equal(before[key], frozen[key])}
    assert changed == {"head.weight", "head.bias"}
    freeze_backbone(network, False)
    step()
    assert all(not torch.equal(frozen[key], value) for key, value in state().items())

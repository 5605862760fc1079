"""Every backbone that is listed can be built, exported, and says the same in ONNX Runtime."""

import numpy as np
import pytest
import torch
from torchvision.ops import StochasticDepth

from skincli.config.training import ModelConfig
from skincli.errors import ConfigError
from skincli.inference.engine import Network as ExportedNetwork
from skincli.inference.engine import softmax
from skincli.models import small_resnet
from skincli.models.backbones import BACKBONES, build_backbone
from skincli.models.export import export_onnx, torch_logits
from skincli.models.network import Network

# One of each family but densenet, the slowest, in the ordinary tests; the rest are many.
QUICK = (
    *("small_resnet", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5"),
    *("mobilenet_v3_small", "efficientnet_b0", "regnet_x_400mf", "convnext_tiny"),
)
SLOW = tuple(name for name in BACKBONES if name not in QUICK)


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_the_export_says_what_torch_says(name, tmp_path):
    torch.manual_seed(1)
    backbone = build_backbone(ModelConfig(backbone=name, pretrained=False, width=8))
    network = Network(backbone, n_classes=7, dropout=0.5).eval()
    path = tmp_path / "model.onnx"
    export_onnx(network, 64, path, "none")
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    found = ExportedNetwork(path, threads=1)(images)
    expected = torch_logits(network, images, "none")
    assert np.abs(softmax(found.logits) - softmax(expected)).max() < 1e-4
    assert found.features.shape == (5, backbone.channels)
    # The maps' mean, with the head's bias, is the logits: so the heat map explains this answer.
    bias = network.head.bias.detach().numpy()
    scale = max(1.0, float(np.abs(found.logits).max()))
    explained = found.cam.mean(axis=(2, 3)) + bias
    np.testing.assert_allclose(explained, found.logits, atol=1e-3 * scale)
    one = ExportedNetwork(path, threads=1)(images[:1])
    np.testing.assert_allclose(one.logits, found.logits[:1], atol=1e-4 * scale)


def test_an_unsupported_backbone_is_refused_by_name():
    with pytest.raises(ConfigError, match="vit_b_16") as caught:
        build_backbone(ModelConfig(backbone="vit_b_16", pretrained=False))
    assert "resnet18" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        build_backbone(ModelConfig(backbone="resnet81", pretrained=False))
    assert "did you mean `resnet18`" in caught.value.hint


def test_small_resnet_has_no_pretrained_weights():
    with pytest.raises(ConfigError, match="no pretrained weights"):
        build_backbone(ModelConfig(backbone="small_resnet", pretrained=True))


def chances(network):
    return [m.p for m in network.modules() if isinstance(m, StochasticDepth)]


@pytest.mark.parametrize("name", ["small_resnet", "efficientnet_b0", "convnext_tiny"])
def test_the_chance_of_being_left_out_rises_with_depth(name):
    config = ModelConfig(backbone=name, pretrained=False, width=4, drop_path=0.4)
    found = chances(build_backbone(config).network)
    # torchvision's efficientnet counts its blocks from 0, and never reaches the whole of it.
    assert found[-1] == pytest.approx(0.4, rel=0.08)
    steps = np.diff(found)
    assert (steps > 0).all()
    np.testing.assert_allclose(steps, steps[0])
    config.drop_path = 0.0
    assert not any(chances(build_backbone(config).network))


def test_small_resnet_leaves_blocks_out_for_some_images_and_only_in_training():
    network = build_backbone(
        ModelConfig(backbone="small_resnet", pretrained=False, width=4, drop_path=0.5)
    ).network
    images = torch.rand(1, 3, 32, 32).expand(16, -1, -1, -1)
    network.train()
    assert len(torch.unique(network(images).flatten(1), dim=0)) > 1
    network.eval()
    torch.testing.assert_close(network(images), network(images[:1]).expand(16, -1, -1, -1))


def test_small_resnet_is_what_its_description_says(monkeypatch):
    stages = (small_resnet.Stage(2, 1, 1), small_resnet.Stage(1, 2, 3))
    monkeypatch.setattr(small_resnet, "STAGES", stages)
    network = small_resnet.small_resnet(width=4, stem_stride=4, drop_path=0.3)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 12, 4, 4)
    finer = small_resnet.small_resnet(width=4, stem_stride=2, drop_path=0.3)
    assert finer(torch.zeros(2, 3, 32, 32)).shape == (2, 12, 8, 8)
    assert chances(network) == pytest.approx([0.1, 0.2, 0.3])


def test_drop_path_is_refused_where_there_is_none():
    with pytest.raises(ConfigError, match=r"drop_path=0\.1` cannot be had with resnet18"):
        build_backbone(ModelConfig(backbone="resnet18", pretrained=False, drop_path=0.1))

"""Every backbone that is listed can be built, exported, and says the same in ONNX Runtime."""

import numpy as np
import pytest
import torch

from skincli.config.training import ModelConfig
from skincli.errors import ConfigError
from skincli.inference.engine import Network as ExportedNetwork
from skincli.inference.engine import softmax
from skincli.models.backbones import BACKBONES, build_backbone
from skincli.models.export import export_onnx, torch_logits
from skincli.models.network import Network

# One of each family in the ordinary tests; the rest are slow only because they are many.
QUICK = (
    *("small_resnet", "resnet18", "resnext50_32x4d", "shufflenet_v2_x0_5"),
    *("mobilenet_v3_small", "efficientnet_b0", "regnet_x_400mf", "densenet121", "convnext_tiny"),
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
    export_onnx(network, 64, path)
    images = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    found = ExportedNetwork(path, threads=1)(images)
    expected = torch_logits(network, images)
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

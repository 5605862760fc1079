"""A network of every family in int8: it runs, and says nearly the same."""

import numpy as np
import onnx
import pytest
import torch

from skincli.config.load import load_config
from skincli.inference.engine import Network
from skincli.models.export import export_onnx
from skincli.quantising.network import quantise_network
from skincli.training.fit import build_network

FAMILIES = (
    ("small_resnet", "dihedral"),
    ("resnet18", "none"),
    ("mobilenet_v3_large", "none"),
    ("shufflenet_v2_x0_5", "none"),
    ("efficientnet_b0", "none"),
    ("convnext_tiny", "none"),
)
SIZE = 64


@pytest.mark.slow
@pytest.mark.parametrize(("model", "views"), FAMILIES)
def test_every_family_runs_in_int8(model, views, tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (16, SIZE // 8, SIZE // 8, 3), np.uint8)
    images = coarse.repeat(8, axis=1).repeat(8, axis=2)
    words = (f"model={model}", "model.pretrained=false", f"data.image_size={SIZE}")
    network = build_network(load_config(words, folder=tmp_path).config).train()
    with torch.no_grad():
        for _ in range(5):  # norms that fit the images
            network(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export_onnx(network, SIZE, source, views)
    quantise_network(source, target, iter([images[:8], images[8:]]))
    onnx.checker.check_model(onnx.load(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["float.onnx", "int8.onnx"]
    assert target.stat().st_size < 0.6 * source.stat().st_size
    ours, theirs = (Network(file)(images) for file in (source, target))
    for name in ("logits", "features", "cam"):
        before, after = getattr(ours, name), getattr(theirs, name)
        assert after.shape == before.shape
        assert np.abs(after - before).mean() < 0.2 * np.abs(before).mean(), name

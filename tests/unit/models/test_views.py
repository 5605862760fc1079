"""Test-time augmentation: part of the model, the mean over its views, heat maps still in place."""

import functools

import numpy as np
import pytest
import torch

from skincli.config.training import ModelConfig
from skincli.inference.engine import Network as ExportedNetwork
from skincli.models.backbones import build_backbone
from skincli.models.export import export_onnx, torch_logits
from skincli.models.network import Network

# By numpy's own words: what each view does to pixels `[N, S, S, ...]`.
FLIPS = [
    lambda x: x,
    lambda x: x[:, :, ::-1],
    lambda x: x[:, ::-1],
    lambda x: np.rot90(x, 2, axes=(1, 2)),
]
DIHEDRAL = [
    *FLIPS,
    lambda x: np.rot90(x, 1, axes=(1, 2)),
    lambda x: np.rot90(x, 3, axes=(1, 2)),
    lambda x: x.swapaxes(1, 2),
    lambda x: np.rot90(x, 2, axes=(1, 2)).swapaxes(1, 2),
]
# At 72 px the last maps have 5 and 3 cells a side, and strides do not divide the image evenly.
SIZE = 72


def new_network(name):
    torch.manual_seed(2)
    config = ModelConfig(backbone=name, pretrained=False, width=8)
    return Network(build_backbone(config), n_classes=7, dropout=0.5).eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The export of a network under a test-time augmentation, made once."""

    @functools.cache
    def export(name, augmentation):
        path = tmp_path_factory.mktemp("model") / "model.onnx"
        export_onnx(new_network(name), SIZE, path, augmentation)
        return path

    return export


def images(n):
    return np.random.default_rng(0).integers(0, 256, (n, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "augmentation", "views"),
    [("small_resnet", "flips", FLIPS), ("small_resnet", "dihedral", DIHEDRAL),
     ("resnet18", "dihedral", DIHEDRAL)],
)  # fmt: skip
def test_the_exported_model_averages_over_its_views(name, augmentation, views, exported):
    network = new_network(name)
    model = ExportedNetwork(exported(name, augmentation), threads=1, views=len(views))
    batch = images(3)
    found = model(batch)
    alone = torch_logits(network, np.concatenate([view(batch) for view in views]), "none")
    alone = alone.reshape(len(views), len(batch), -1)
    scale = np.abs(found.logits).max()
    np.testing.assert_allclose(found.logits, np.mean(alone, axis=0), atol=1e-4 * scale)
    # The views do differ, or nothing was shown.
    assert np.ptp(alone, axis=0).max() > 1e-2 * scale
    ours = torch_logits(network, batch, augmentation)
    np.testing.assert_allclose(found.logits, ours, atol=1e-4 * scale)
    bias = network.head.bias.detach().numpy()
    explained = found.cam.mean(axis=(2, 3)) + bias
    np.testing.assert_allclose(explained, found.logits, atol=1e-4 * scale)
    weight = network.head.weight.detach().numpy()
    np.testing.assert_allclose(found.features @ weight.T + bias, found.logits, atol=1e-4 * scale)
    for view in views:
        turned = model(np.ascontiguousarray(view(batch)))
        np.testing.assert_allclose(turned.logits, found.logits, atol=1e-4 * scale)
        in_place = view(np.moveaxis(found.cam, 1, -1))
        np.testing.assert_allclose(
            np.moveaxis(turned.cam, 1, -1), in_place, atol=1e-4 * np.abs(found.cam).max()
        )


def test_as_many_views_are_in_memory_as_there_are_images(exported, monkeypatch):
    path = exported("small_resnet", "dihedral")
    model = ExportedNetwork(path, threads=1, views=8)
    passed = []

    class Watched:
        def run(self, names, feed, session=model._session):
            passed.append(len(feed["images"]))
            return session.run(names, feed)

    monkeypatch.setattr(model, "_session", Watched())
    batch = images(20)
    found = model(batch)
    assert passed == [3, 3, 3, 3, 3, 3, 2]
    whole = ExportedNetwork(path, threads=1)(batch)
    np.testing.assert_allclose(found.logits, whole.logits, atol=1e-4)
    np.testing.assert_allclose(found.cam, whole.cam, atol=1e-4)
    assert model(batch[:0]).logits.shape == (0, 7)

"""Linear probing on drawn lesions: the same as scikit-learn says, and as the sealed bundle says."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from trainings import accuracy_before_calibration, uncalibrated

from skincli.config.load import to_yaml
from skincli.config.schema import Config
from skincli.data import PreparedSet, prepare
from skincli.errors import DataError
from skincli.models.backbones import build_backbone
from skincli.models.network import Network
from skincli.progress import Silent
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import create_run_folder
from skincli.training.probe import probe
from skincli.training.sealing import seal_bundle

CPU = torch.device("cpu")


class Heard(Silent):
    def __init__(self):
        self.warnings = []

    def warn(self, message):
        self.warnings.append(message)


@pytest.fixture
def small(config: Config) -> Config:
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 16
    return config


@pytest.fixture
def prepared(config: Config) -> PreparedSet:
    return prepare(config, Silent()).prepared


def new_network(config: Config, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return Network(build_backbone(config.model), len(classes_of(config.task)), 0.5)


def features_of(network: Network, prepared: PreparedSet, part: str) -> np.ndarray:
    images = torch.from_numpy(prepared.images[prepared.rows(part)])
    with torch.inference_mode():
        maps = network.eval().maps(images.permute(0, 3, 1, 2) / 255.0)
    return maps.mean(dim=(2, 3)).numpy().astype(np.float64)


def weights_of(labels: np.ndarray, config: Config) -> np.ndarray:
    weights = (np.bincount(labels) / len(labels)) ** -config.loss.class_weight_power
    return (weights / weights[labels].mean())[labels]


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_the_sealed_bundle_says_what_scikit_learn_says(small, prepared, tmp_path, task):
    small.task = task
    network, heard = new_network(small), Heard()
    features = features_of(network, prepared, "train")
    unseen = features_of(network, prepared, "validation")
    probed = probe(small, prepared, network, CPU, heard)
    assert "random weights" in heard.warnings[0]
    folder = create_run_folder(tmp_path / "runs", "1", "probe", to_yaml(small), "")
    bundle = seal_bundle(small, prepared, probed.network, folder)

    labels = prepared.labels(task)[prepared.rows("train")]
    weights = weights_of(labels, small)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation <= 1e-3 * deviation.mean()] = np.inf  # channels that are dead
    model = LogisticRegression(C=1 / (probed.strength * len(labels)), max_iter=5000, tol=1e-7)
    model.fit((features - mean) / deviation, labels, sample_weight=weights)
    expected = model.predict_proba((unseen - mean) / deviation)
    assert model.n_iter_ < 5000

    rows = prepared.rows("validation")
    found = uncalibrated(bundle, prepared.images[rows])
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert probed.balanced_accuracy == pytest.approx(accuracy_before_calibration(bundle, prepared))
    # Colours tell the drawn diagnoses apart even through random features.
    assert probed.balanced_accuracy > 1.1 / len(bundle.spec.classes)


def test_the_probe_of_a_trained_backbone_leaves_it_as_it_was_and_repeats(small, prepared, tmp_path):
    trained = new_network(small, seed=5).train()
    trained(torch.rand(64, 3, 32, 32))  # norm statistics of its own
    torch.save(trained.backbone.state_dict(), tmp_path / "backbone.pth")
    small.model.weights = str(tmp_path / "backbone.pth")
    heads = []
    for seed in (0, 1):
        heard = Heard()
        probed = probe(small, prepared, new_network(small, seed), CPU, heard)
        assert not heard.warnings
        for key, value in trained.backbone.state_dict().items():
            assert torch.equal(probed.network.backbone.state_dict()[key], value)
        heads.append(probed.network.head.weight)
    assert torch.equal(*heads)


def test_with_views_the_head_is_fitted_to_what_the_bundle_sees(small, prepared, tmp_path):
    small.model.test_time_augmentation = "flips"
    probed = probe(small, prepared, new_network(small), CPU, Silent())
    folder = create_run_folder(tmp_path / "runs", "1", "probe", to_yaml(small), "")
    bundle = seal_bundle(small, prepared, probed.network, folder)
    assert (bundle.spec.test_time_augmentation, bundle.spec.views) == ("flips", 4)
    rows = prepared.rows("train")
    labels, found = prepared.labels("multiclass")[rows], uncalibrated(bundle, prepared.images[rows])
    # A free bias makes a fit's mean probabilities the shares of the classes, where it was fitted.
    weights = weights_of(labels, small)[:, None]
    shares = (weights * np.eye(7)[labels]).mean(axis=0)
    np.testing.assert_allclose((weights * found).mean(axis=0), shares, atol=1e-3)
    mirrored = uncalibrated(bundle, prepared.images[rows][:, :, ::-1])
    np.testing.assert_allclose(mirrored, found, atol=1e-4)


def without(prepared: PreparedSet, *codes: str) -> PreparedSet:
    """The same set, with no training image of these diagnoses."""
    samples = tuple(
        dataclasses.replace(s, part="quarantined") if s.part == "train" and s.dx in codes else s
        for s in prepared.samples
    )
    return dataclasses.replace(prepared, samples=samples)


def test_a_class_that_was_never_seen_never_wins(small, prepared):
    probed = probe(small, without(prepared, "df", "nv"), new_network(small), CPU, Silent())
    noise = np.random.default_rng(0).normal(size=(1000, 128)).astype(np.float32)
    noise *= np.linspace(0, 100, 1000, dtype=np.float32)[:, None]
    with torch.inference_mode():
        logits = probed.network.head(torch.from_numpy(noise)).numpy()
    codes = [info.code for info in classes_of("multiclass")]
    unseen = [codes.index("df"), codes.index("nv")]
    assert not np.isin(logits.argmax(axis=1), unseen).any()
    assert len(np.unique(logits[:, unseen])) == 1


def test_one_class_alone_cannot_be_learnt_from(small, prepared):
    codes = [info.code for info in classes_of("multiclass")]
    with pytest.raises(DataError, match="one class only"):
        probe(small, without(prepared, *codes[1:]), new_network(small), CPU, Silent())

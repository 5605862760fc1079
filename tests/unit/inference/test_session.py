"""The network runs on the best provider that works, and says on which."""

import sys
import warnings

import numpy as np
import onnxruntime as ort
import pytest
from bundles import tiny_bundle

from skincli.errors import ModelError
from skincli.inference.engine import Classifier, Network
from skincli.inference.session import choose_providers

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["TensorrtExecutionProvider", CUDA, CPU], [CUDA, CPU]),
        ([CPU, CUDA], [CUDA, CPU]),
        (["AzureExecutionProvider", CPU], [CPU]),
        (["OpenVINOExecutionProvider", "DmlExecutionProvider", CPU], [CPU]),
    ],
)
def test_a_gpu_comes_first_and_neither_a_compiler_nor_a_cloud_is_asked_for(available, chosen):
    assert choose_providers(available) == chosen


def broken(*words, providers, **options):
    """A GPU without a driver: CUDA raises."""
    if CUDA in providers:
        raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
    return SESSION(*words, providers=providers, **options)


def incomplete(*words, providers, **options):
    """A GPU without CUDA's libraries: ONNX Runtime leaves its provider out and goes on."""
    return SESSION(*words, providers=[name for name in providers if name != CUDA], **options)


SESSION = ort.InferenceSession


@pytest.mark.parametrize(("session", "why"), [(broken, "no CUDA-capable"), (incomplete, "libcu")])
def test_a_gpu_that_does_not_work_leaves_the_cpu_and_a_line_in_the_log(
    monkeypatch, tmp_path, caplog, capfd, session, why
):
    def complain():
        sys.stdout.write("Failed to load libcublasLt.so.13\n")

    bundle = tiny_bundle(tmp_path / "bundle")
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", complain)
    monkeypatch.setattr(ort, "InferenceSession", session)
    classifier = Classifier(bundle, threads=1)
    assert classifier.provider == CPU
    assert classifier.score(np.zeros((1, 32, 32, 3), np.uint8)).malignant.shape == (1,)
    [line] = caplog.messages
    assert f"{CUDA} does not work" in line
    assert why in line
    assert capfd.readouterr().out == ""


def test_a_file_that_is_no_network_is_refused_on_every_provider(monkeypatch, tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Network(file)
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this ONNX Runtime has no CUDA
        with pytest.raises(ModelError, match="cannot be loaded"):
            Network(file)


@pytest.mark.gpu
def test_on_a_gpu_the_network_says_the_same(tmp_path):
    if CUDA not in ort.get_available_providers():
        pytest.skip("this ONNX Runtime knows no CUDA: install onnxruntime-gpu")
    classifier = Classifier(tiny_bundle(tmp_path / "bundle"))
    assert classifier.provider == CUDA
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    colours = images.mean(axis=(1, 2)) / 255
    assert classifier.score(images).probabilities.sum(axis=1) == pytest.approx(1)
    assert Network(classifier.bundle.model)(images).features == pytest.approx(colours, abs=1e-3)

"""A sealed bundle without torch: colour means through a linear head, in the real layout."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from skincli.bundle import (
    MODEL_FILE,
    REFERENCE_FILE,
    Bundle,
    BundleSpec,
    Conformal,
    Lineage,
    OutOfDistribution,
    keyed_hashes,
    seal,
)
from skincli.config.data import Crop, SplitKind
from skincli.inference.novelty import Gaussian, Reference, texture
from skincli.taxonomy import Task, classes_of

OPERATING_POINT = 0.25
KEY = "key of the tests"


def tiny_bundle(
    folder: Path,
    task: Task = "multiclass",
    image_size: int = 32,
    split_fingerprint: str = "0" * 64,
    run_id: str = "",
    crop: Crop = "center",
    data_name: str = "synthetic",
    files: Sequence[str] = (),
    lesions: Sequence[str] = (),
    seed: int = 0,
    weight_scale: float = 8.0,
    split: SplitKind = "lesion",
    decision_weights: Sequence[float] = (),
    thresholds: Sequence[float] = (),
    largest_distance: float = 10.0,
    least_sharpness: float = -100.0,
    network: onnx.ModelProto | None = None,
) -> Bundle:
    """A bundle in `folder`; `seed` and `weight_scale` draw another model, another digest.

    `files` (SHA-256) and `lesions` (`name:lesion_id`) are those it pretends to have learnt from.
    Distance is from mid-grey: that of black is 1. `network` takes the place of the drawn one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_classes = len(classes_of(task))
    drawn = tiny_network(_weights(n_classes, seed, weight_scale), image_size)
    onnx.save(network or drawn, folder / MODEL_FILE)
    middle, unit = np.full(3, 0.5, np.float32), 2 * np.eye(3, dtype=np.float32)
    # Texture, which is of no interest to most tests, is never strange.
    width = texture(np.zeros((1, image_size, image_size, 3), np.uint8)).shape[1]
    blind = Gaussian(np.zeros(width, np.float32), np.zeros((width, width), np.float32))
    Reference(Gaussian(middle, unit), blind).save(folder / REFERENCE_FILE)
    spec = BundleSpec(
        task=task,
        backbone="tiny",
        image_size=image_size,
        crop=crop,
        test_time_augmentation="none",
        classes=classes_of(task),
        temperature=1.5,
        operating_point=OPERATING_POINT,
        decision_weights=tuple(decision_weights) or (1.0,) * n_classes,
        target_sensitivity=0.95,
        conformal=Conformal(
            coverage=0.9,
            thresholds=tuple(thresholds) or (0.8,) * n_classes,
            lesions=(50,) * n_classes,
            marginal=(False,) * n_classes,
        ),
        out_of_distribution=OutOfDistribution(
            false_alarm_rate=0.05,
            largest_feature_distance=largest_distance,
            largest_texture_distance=1.0,
            least_sharpness=least_sharpness,
        ),
        export_difference=0.0,
        lineage=_lineage(split_fingerprint, run_id, data_name, split),
    )
    trained_on: dict[str, Any] = {
        "key": KEY,
        "files": keyed_hashes(KEY, files),
        "lesions": keyed_hashes(KEY, lesions),
    }
    return seal(folder, spec, trained_on)


def tiny_network(weights: np.ndarray, image_size: int) -> onnx.ModelProto:
    """uint8 images `[N, S, S, 3]` to logits, features (colour means) and cam of `S / 8`.

    `weights` are float32 `[3, C]`. The spatial mean of `cam` is `logits`, as in a real network.
    """
    n_classes, cells = weights.shape[1], image_size // 8
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "axes"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "weights"], ["logits"]),
        helper.make_node("Transpose", ["scaled"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["channels"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]
        ),
        helper.make_node("Conv", ["pooled", "kernel"], ["cam"]),
    ]
    constants: dict[str, np.ndarray] = {
        "scale": np.array(1 / 255, np.float32),
        "axes": np.array([1, 2], np.int64),
        "weights": weights,
        "kernel": np.ascontiguousarray(weights.T)[:, :, None, None],
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [_info("images", TensorProto.UINT8, [image_size, image_size, 3])],
        [
            _info("logits", TensorProto.FLOAT, [n_classes]),
            _info("features", TensorProto.FLOAT, [3]),
            _info("cam", TensorProto.FLOAT, [n_classes, cells, cells]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _weights(n_classes: int, seed: int, scale: float) -> np.ndarray:
    """Every class likes a colour of its own; they sum to nothing, so that brightness is even."""
    weights = np.random.default_rng(seed).normal(size=(3, n_classes))
    weights -= weights.mean(axis=1, keepdims=True)
    return (scale * weights).astype(np.float32)


def _info(name: str, kind: int, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["N", *shape])


def _lineage(split_fingerprint: str, run_id: str, data_name: str, split: SplitKind) -> Lineage:
    return Lineage(
        run_id=run_id,
        run_name="tiny",
        created="2026-01-01T00:00:00+00:00",
        data_name=data_name,
        data_licence="CC0-1.0",
        data_verified=True,
        synthetic=data_name == "synthetic",
        dataset_fingerprint="1" * 64,
        split_fingerprint=split_fingerprint,
        split=split,
        data_warnings=("its parts leak",) if split == "official" else (),
        git_commit="0" * 40,
        packages={"onnxruntime": "1"},
        config={"data": {"source": data_name}},
    )

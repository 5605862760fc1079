"""Bundles that are as good as a test wants them: a linear head fitted to labels partly shuffled."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from bundles import tiny_bundle
from onnx import TensorProto, helper, numpy_helper

from skincli.bundle import Bundle
from skincli.data import PreparedSet

_CELL = 8  # pixels
_CONFIDENCE = 16.0


def graded_bundle(
    folder: Path, prepared: PreparedSet, spoilt: float, seed: int = 0, **words: Any
) -> Bundle:
    """A model of seven classes, fitted to all images, a share `spoilt` of them falsely named."""
    network = _network(_fitted(prepared, spoilt, seed), prepared.manifest.image_size)
    words.setdefault("split_fingerprint", prepared.manifest.split_fingerprint)
    return tiny_bundle(folder, seed=seed, network=network, **words)


def _fitted(prepared: PreparedSet, spoilt: float, seed: int) -> np.ndarray:
    """Least squares from the cells' mean colours to the diagnoses, float32 `[3 * cells, 7]`."""
    images = prepared.images[np.arange(len(prepared.samples))]
    n, size = len(images), images.shape[1] // _CELL
    cells = images.reshape(n, size, _CELL, size, _CELL, 3).mean(axis=(2, 4)) / 255
    inputs = cells.transpose(0, 3, 1, 2).reshape(n, -1)
    labels = prepared.labels("multiclass").copy()
    draw = np.random.default_rng(seed)
    false = draw.choice(n, round(spoilt * n), replace=False)
    labels[false] = draw.permutation(labels[false])
    targets = _CONFIDENCE * (np.eye(7)[labels] - 1 / 7)
    ridge = 1e-4 * np.eye(inputs.shape[1])
    return np.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ targets).astype(np.float32)


def _network(weights: np.ndarray, image_size: int) -> onnx.ModelProto:
    cells = image_size // _CELL
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "axes"], ["features"], keepdims=0),
        helper.make_node("Transpose", ["scaled"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["channels"], ["pooled"], kernel_shape=[_CELL] * 2, strides=[_CELL] * 2
        ),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Conv", ["pooled", "kernel"], ["cam"]),
    ]
    constants = {
        "scale": np.array(1 / 255, np.float32),
        "axes": np.array([1, 2], np.int64),
        "weights": weights,
        "kernel": np.zeros((7, 3, 1, 1), np.float32),
    }
    shapes = {"logits": [7], "features": [3], "cam": [7, cells, cells]}
    graph = helper.make_graph(
        nodes,
        "graded",
        [_info("images", TensorProto.UINT8, [image_size, image_size, 3])],
        [_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _info(name: str, kind: int, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["N", *shape])

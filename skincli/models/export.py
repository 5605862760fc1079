"""From a trained torch network to `model.onnx`, and the proof that both say the same."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from skincli.config.training import TestTimeAugmentation
from skincli.imaging import Pixels
from skincli.models.network import ExportedNetwork, Network


def export_onnx(
    network: Network, image_size: int, path: Path, test_time_augmentation: TestTimeAugmentation
) -> None:
    """Write `network` as ONNX: input `images` uint8 `[N, size, size, 3]` with N left free."""
    exported = ExportedNetwork(network.cpu().eval(), test_time_augmentation)
    # Two images: a batch of one would freeze N.
    example = torch.zeros((2, image_size, image_size, 3), dtype=torch.uint8)
    # The exporter talks to stdout and warns of its own deprecations; errors still raise.
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            exported,
            (example,),
            input_names=["images"],
            output_names=["logits", "features", "cam"],
            dynamic_shapes={"images": {0: torch.export.Dim("n")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    program.save(path, external_data=False)


def torch_logits(
    network: Network, images: Pixels, test_time_augmentation: TestTimeAugmentation
) -> NDArray[np.float32]:
    """The torch network's logits `[N, C]` of uint8 images `[N, S, S, 3]`, on the CPU."""
    exported = ExportedNetwork(network.cpu().eval(), test_time_augmentation)
    logits: NDArray[np.float32] = exported.answer(images).logits.numpy()
    return logits

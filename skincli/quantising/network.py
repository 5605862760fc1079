"""The network itself in int8, by ONNX Runtime's static quantisation."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from skincli.errors import ModelError, SkincliError
from skincli.imaging import Pixels

if TYPE_CHECKING:
    import onnx


def quantise_network(source: Path, target: Path, batches: Iterator[Pixels]) -> None:
    """Write the float32 file `source` as int8 to `target`: the same inputs and outputs.

    Weights become int8, a scale for each channel. Activations become uint8 over the range that
    they took on `batches` of uint8 images `[N, S, S, 3]`: its ends are all that is kept of a
    batch, so that memory stays flat. Jacob et al. 2018 (arXiv:1712.05877), section 2.

    Raises ModelError for a network that ONNX Runtime cannot quantise.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = target.with_name("prepared.onnx")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it talks
            # Batch norms and constants are folded first, and every tensor gets its shape.
            quant_pre_process(source, prepared, skip_symbolic_shape=True)
            quantize_static(
                prepared,
                target,
                _Reader(batches),
                nodes_to_exclude=_kept_in_float(onnx.load(prepared)),
                per_channel=True,
                # A bit less for weights: sums of products cannot overflow on processors without
                # VNNI, where the network would else answer otherwise than where it was measured.
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
    except SkincliError:
        raise
    except Exception as error:  # theirs share no base but Exception
        raise ModelError(f"`{source}` cannot be quantised: {error}") from None
    finally:
        prepared.unlink(missing_ok=True)


class _Reader:
    """Batches as the calibration asks for them: None after the last."""

    def __init__(self, batches: Iterator[Pixels]) -> None:
        self._batches = batches

    def get_next(self) -> dict[str, Pixels] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def _kept_in_float(model: "onnx.ModelProto") -> list[str]:
    """The first convolution, which sees the image itself: in int8 it made half of all differences.

    And the pool and the head, which cost nothing: logits know more than 256 values, and the mean
    of a heat map still makes the logit.
    """
    nodes, outputs = model.graph.node, {output.name for output in model.graph.output}
    first = [node.name for node in nodes if node.op_type == "Conv"][:1]
    return [*first, *(node.name for node in nodes if outputs.intersection(node.output))]

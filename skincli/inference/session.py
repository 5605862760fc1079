"""Opening an ONNX file in ONNX Runtime, on the GPU where it works."""

import contextlib
import io
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort

from skincli.errors import ModelError

_CPU: Final = "CPUExecutionProvider"
# The best first. Not TensorRT, which onnxruntime-gpu lists before all and which compiles for
# minutes, nor those that send images elsewhere.
_PROVIDERS: Final = ("CUDAExecutionProvider", _CPU)
_log = logging.getLogger(__name__)


def choose_providers(available: Sequence[str]) -> list[str]:
    """Those of the `available` ones that skincli asks for, the best first."""
    return [name for name in _PROVIDERS if name in available]


def open_session(model: Path, threads: int) -> Any:
    """A session on the best provider that works; `threads` of 0 takes one per core of this process.

    A GPU that cannot be used is logged, and the CPU takes over. Raises ModelError.
    """
    wanted = choose_providers(ort.get_available_providers())
    fault: object = _load_libraries() if wanted[0] != _CPU else ""
    options = _options(threads)
    for providers in (wanted, [_CPU]) if wanted[0] != _CPU else (wanted,):
        try:
            # Its own way to fall back prints to stdout.
            session = ort.InferenceSession(model, options, providers=providers, enable_fallback=0)
        except Exception as error:  # ONNX Runtime's own exceptions share no base but Exception
            fault = error
            continue
        if session.get_providers()[0] != wanted[0]:
            _log.warning(
                "%s does not work, the CPU takes over: %s", wanted[0], fault or "no reason"
            )
        return session
    raise ModelError(f"`{model}` cannot be loaded by ONNX Runtime: {fault}")


def _load_libraries() -> str:
    """Load CUDA and cuDNN from where pip puts them, and return what was complained of."""
    with contextlib.redirect_stdout(io.StringIO()) as complaints:
        ort.preload_dlls()
    return " ".join(complaints.getvalue().split())


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.log_severity_level = 3
    # A thread that has nothing to do would turn in circles on a core that others could use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options

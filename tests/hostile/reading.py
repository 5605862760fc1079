"""Reads every hostile file in this process, a line of JSON for each: `python -m hostile.reading`.

A process of its own, because a decoder that is led astray may take its process with it.
"""

import faulthandler
import hashlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import get_args

from hostile import FILES, made
from skincli.errors import ImageError, ImageFault
from skincli.imaging import Limits, read_input

# As they are configured by default.
LIMITS = Limits(max_bytes=20_000_000, max_pixels=50_000_000)
SIDE = 224
REASONS = {*get_args(ImageFault), "pixels"}
_MOST_MEMORY = 4 << 30


def status(name: str) -> int:
    """A line of the kernel's account of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def read(data: bytes) -> str:
    try:
        pixels = read_input(data, SIDE, "whole", LIMITS)
    except ImageError as error:
        return error.reason
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    shaped = pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == "uint8"
    return "pixels" if shaped else f"pixels of {pixels.shape}"


def tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    for name, maker in FILES.items():
        data = made(maker)
        tell(begun=name, bytes=len(data), digest=hashlib.sha256(data).hexdigest())
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, began = status("VmRSS"), time.process_time()
        outcome = read(data)
        seconds, memory = time.process_time() - began, status("VmHWM") - before
        tell(outcome=outcome, seconds=seconds, memory=memory)


if __name__ == "__main__":
    sys.exit(main())

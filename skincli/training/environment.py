"""What a run depended on besides its config: code, packages, machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from typing import Any, Final

import torch

PACKAGES: Final = (
    *("skincli", "torch", "torchvision", "lightning", "mlflow", "numpy", "onnx", "onnxruntime"),
    *("onnxscript", "omegaconf", "pillow", "scikit-learn", "simplejpeg", "torchmetrics"),
)


def package_versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def git_commit() -> str:
    """The commit of the working folder, with `-dirty` for uncommitted changes; else `none`."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return "none"
    return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit


def describe_environment(device: torch.device) -> dict[str, Any]:
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_cores": len(os.sched_getaffinity(0)),
        "gpu": gpu,
        "git_commit": git_commit(),
        "packages": package_versions(),
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""An environment of its own for each peer: two frameworks of this kind seldom agree on versions.

Torch, which takes gigabytes, is the one of skincli's own environment, found behind the peer's own
packages. What decodes and what runs the network has the versions that skincli has.
"""

import shutil
import subprocess
import sysconfig
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Final

from skincli.errors import SkincliError
from skincli.progress import Progress

_SAME_AS_OURS: Final = ("numpy", "onnxruntime", "pillow", "simplejpeg")
_LINK: Final = "torch-of-skincli.pth"
# Those of the extra `bench`, which a test holds this against, pinned.
PINS: Final = {"litserve": "0.2.19", "bentoml": "1.4.40"}


def install_peers(folder: Path, progress: Progress) -> None:
    """Make the environments in `folder`, anew where they are there. Raises SkincliError."""
    wanted = _requirements()
    with progress.step("Installing peers", len(wanted)) as step:
        for name, requirements in wanted.items():
            try:
                _make(folder / name, requirements)
            except BaseException:
                shutil.rmtree(folder / name, ignore_errors=True)
                raise
            step.advance(peer=name)


def _make(place: Path, requirements: tuple[str, ...]) -> None:
    venv.create(place, clear=True, with_pip=True)
    _pip(place, requirements)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place)}))
    (site / _LINK).write_text(f"{sysconfig.get_path('purelib')}\n")


def interpreter(folder: Path, package: str) -> Path | None:
    """The interpreter of a peer's environment in `folder`, None where there is none."""
    found = folder.absolute() / package / "bin" / "python"
    return found if found.exists() else None


def _requirements() -> dict[str, tuple[str, ...]]:
    same = tuple(f"{name}=={version(name)}" for name in _SAME_AS_OURS)
    fastapi = (f"fastapi=={version('fastapi')}", f"uvicorn[standard]=={version('uvicorn')}")
    return {
        "fastapi": (*fastapi, f"python-multipart=={version('python-multipart')}", *same),
        "litserve": (f"litserve=={PINS['litserve']}", "python-multipart", *same),
        "bentoml": (f"bentoml=={PINS['bentoml']}", *same),
        "mlflow": (f"mlflow=={version('mlflow')}", *same),
    }


def _pip(place: Path, requirements: tuple[str, ...]) -> None:
    command = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet")
    done = subprocess.run(
        [*command, "--disable-pip-version-check", *requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise SkincliError(
            f"{requirements[0]} could not be installed: {lines[-1]}",
            "look at the connection to the package index, and run it again",
        )

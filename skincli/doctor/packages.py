"""Whether Python and the packages are what skincli was made for. Imports none of them."""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from skincli.runner.checks import Check

# What requirements-server.txt leaves out, and the module by which each is imported.
NOT_ON_A_SERVER: Final = {
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "threadpoolctl": "threadpoolctl",
    "torch": "torch",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
}
WHOLE: Final = "install all of skincli: `pip install skincli`"
_STANDS_IN: Final = {"mlflow": "mlflow-skinny", "onnxruntime": "onnxruntime-gpu"}


def installation() -> list[Check]:
    """The checks of Python and of the core packages, against what skincli's wheel asks for."""
    try:
        asked = metadata("skincli")
    except PackageNotFoundError:
        mend = "install it, from its source folder with `pip install --editable .`"
        return [Check("packages", "failure", "skincli itself is not installed", mend)]
    required = [Requirement(text) for text in asked.get_all("Requires-Dist") or []]
    core = [need for need in required if need.marker is None or need.marker.evaluate({"extra": ""})]
    installed = {need.name: _installed(need.name) for need in core}
    check = check_packages if installed["torch"] else check_server
    return [
        check_python(platform.python_version(), asked["Requires-Python"]),
        *check(core, installed),
    ]


def check_python(found: str, required: str) -> Check:
    """Whether the Python version `found` meets the specifier `required`."""
    if SpecifierSet(required).contains(found, prereleases=True):
        return Check("Python", "ok", found)
    mend = f"make a new environment with Python {required} and install skincli there"
    return Check("Python", "failure", f"{found}, where skincli needs {required}", mend)


def check_packages(required: list[Requirement], installed: dict[str, str | None]) -> list[Check]:
    """One check for all packages that are as required, and a failure for each that is not."""
    faults = []
    good = []
    for need in required:
        found = installed[need.name]
        if found is not None and need.specifier.contains(found, prereleases=True):
            good.append(f"{need.name} {found}")
            continue
        state = f"{found} is installed" if found else "it is not installed"
        faults.append(
            Check(
                f"package {need.name}",
                "failure",
                f"{state}, where skincli needs {need.specifier}",
                f"run `pip install '{need.name}{need.specifier}'`",
            )
        )
    return [Check("packages", "ok", ", ".join(good)), *faults]


def check_server(required: list[Requirement], installed: dict[str, str | None]) -> list[Check]:
    """The same of an install without torch, which lacks what trains and evaluates."""
    needed = [need for need in required if need.name not in NOT_ON_A_SERVER]
    found = "no torch: this is a server install, which neither trains nor evaluates"
    return [*check_packages(needed, installed), Check("torch", "warning", found, WHOLE)]


def _installed(name: str) -> str | None:
    """The version of a package, or of the one that stands in for it."""
    for candidate in (name, _STANDS_IN.get(name, name)):
        with suppress(PackageNotFoundError):
            return version(candidate)
    return None

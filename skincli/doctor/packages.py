"""Whether Python and the packages are what skincli was made for. Imports none of them."""

import platform
from importlib.metadata import PackageNotFoundError, metadata, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from skincli.runner.checks import Check


def installation() -> list[Check]:
    """The checks of Python and of the core packages, against what skincli's wheel asks for."""
    try:
        asked = metadata("skincli")
    except PackageNotFoundError:
        mend = "install it, from its source folder with `pip install --editable .`"
        return [Check("packages", "failure", "skincli itself is not installed", mend)]
    required = [Requirement(text) for text in asked.get_all("Requires-Dist") or []]
    core = [need for need in required if need.marker is None or need.marker.evaluate({"extra": ""})]
    return [
        check_python(platform.python_version(), asked["Requires-Python"]),
        *check_packages(core, {need.name: _installed(need.name) for need in core}),
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


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

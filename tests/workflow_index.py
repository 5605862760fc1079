"""A package index for environments that a workflow makes: wheels that point to what is installed.

The wheel of a package holds a path file to the folder where the tests have it, its entry points and
its programs, so that `uv` and `pip` resolve, build and install as ever, and nothing is downloaded.
"""

import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The steps call these by name; what other packages bring along is large and not called.
_CALLED = {"ruff", "uv"}
_EXECUTABLE = 0o755 << 16


def needed_by_skincli() -> set[str]:
    """The names of what skincli needs and its developers do, what builds it included."""
    needs = [Requirement(text) for text in requires("skincli") or []]
    asked = [need for need in needs if not need.marker or need.marker.evaluate({"extra": "dev"})]
    return {canonicalize_name(need.name) for need in asked} | {"uv"}


def fill_index(folder: Path, environment: Path, names: Iterable[str]) -> None:
    """Write a wheel of each of the packages in an environment that are named."""
    [site] = environment.glob("lib/python*/site-packages")
    missing = set(names)
    for package in distributions(path=[str(site)]):
        name = canonicalize_name(package.metadata["Name"])
        if name in missing:
            _write_wheel(folder, package, site)
            missing.remove(name)
    assert not missing, f"not installed in {environment}: {missing}"


def _write_wheel(folder: Path, package: Distribution, site: Path) -> None:
    stem = f"{package.metadata['Name'].replace('-', '_')}-{package.version}"
    extras = package.metadata.get_all("Provides-Extra") or []
    about = [f"Name: {package.metadata['Name']}", f"Version: {package.version}"]
    texts = {
        f"_{stem.partition('-')[0]}.pth": f"{site}\n",
        f"{stem}.dist-info/METADATA": "\n".join(
            ["Metadata-Version: 2.1", *about, *(f"Provides-Extra: {extra}" for extra in extras), ""]
        ),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": package.read_text("entry_points.txt") or "",
    }
    texts[f"{stem}.dist-info/RECORD"] = "".join(f"{name},,\n" for name in texts)
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for name, text in texts.items():
            wheel.writestr(name, text)
        for file in package.files or []:
            if file.parent.name == "bin" and file.name in _CALLED:
                entry = zipfile.ZipInfo(f"{stem}.data/scripts/{file.name}")
                entry.external_attr = _EXECUTABLE
                wheel.writestr(entry, file.read_binary())

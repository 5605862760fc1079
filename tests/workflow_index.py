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
_EXECUTABLE = 0o100755 << 16

# hatchling asks for this package to build an editable install, and nothing else here needs it.
_EDITABLES = """
from pathlib import Path

class EditableProject:
    def __init__(self, name, root):
        self.name, self.root, self.folders = name, Path(root), []

    def add_to_path(self, folder):
        self.folders.append(str((self.root / folder).resolve()))

    def files(self):
        return [(f"{self.name}.pth", "\\n".join(self.folders))]

    def dependencies(self):
        return []
"""


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
            missing.remove(name)
            stem = f"{name.replace('-', '_')}-{package.version}"
            path_file = {f"_{stem}.pth": f"{site}\n".encode()}
            programs = [file for file in package.files or [] if file.name in _CALLED]
            scripts = {
                f"{stem}.data/scripts/{file.name}": file.read_binary()
                for file in programs
                if file.parent.name == "bin"
            }
            _write_wheel(folder, stem, path_file | scripts, package)
    assert not missing, f"not installed in {environment}: {missing}"


def add_editables(folder: Path) -> None:
    _write_wheel(folder, "editables-0.5", {"editables.py": _EDITABLES.encode()})


def _write_wheel(
    folder: Path, stem: str, files: dict[str, bytes], package: Distribution | None = None
) -> None:
    name, version = stem.split("-")
    about = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    extras = package.metadata.get_all("Provides-Extra") or [] if package else []
    entry_points = package.read_text("entry_points.txt") or "" if package else ""
    wheel = ["Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any"]
    texts = {
        "METADATA": "\n".join([*about, *(f"Provides-Extra: {extra}" for extra in extras), ""]),
        "WHEEL": "\n".join([*wheel, ""]),
        "entry_points.txt": entry_points,
    }
    files |= {f"{stem}.dist-info/{name}": text.encode() for name, text in texts.items()}
    files[f"{stem}.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files).encode()
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = _EXECUTABLE
            archive.writestr(entry, content)

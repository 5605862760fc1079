"""The slim install of a server: its requirements, and what is said where they do not suffice."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from skincli.doctor import packages

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = ("dicom", "server")
SERVER_ROOMS = (
    "cli",
    "config",
    "doctor",
    "imaging",
    "inference",
    "journal",
    "prediction",
    "runner",
    "serving",
    "tracking",
)


def server_requirements() -> list[str]:
    lines = (ROOT / "requirements-server.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def brought_along(lines: list[str]) -> set[str]:
    """The names of what these requirements install, as far as that is installed here."""
    waiting = [Requirement(line) for line in lines]
    seen: set[str] = set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if name in seen or (need.marker and not need.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        waiting.extend(Requirement(text) for text in requires(name) or [])
    return seen


def imported_packages(file: Path) -> set[str]:
    """Third parties that a module imports at its top or within."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    tops = {module.partition(".")[0] for module in modules}
    return tops - sys.stdlib_module_names - {"skincli"}


def test_every_line_is_one_of_the_project():
    whole = [line.replace("mlflow>", "mlflow-skinny>") for line in PROJECT["dependencies"]]
    slim = server_requirements()
    assert slim == [line for line in whole if line in slim]


def test_what_is_left_out_is_known_by_name():
    slim = {Requirement(line).name for line in server_requirements()} | {"mlflow"}
    whole = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert set(packages.NOT_ON_A_SERVER) == whole - slim
    distributions = packages_distributions()
    for name, module in packages.NOT_ON_A_SERVER.items():
        assert name in distributions[module]


def test_what_is_brought_along_is_light():
    assert not brought_along(server_requirements()) & {*packages.NOT_ON_A_SERVER, "pandas"}


def test_every_import_of_the_servers_rooms_is_covered():
    optional = PROJECT["optional-dependencies"]
    covered = brought_along(server_requirements() + [n for e in EXTRAS for n in optional[e]])
    distributions = packages_distributions()
    files = [file for room in SERVER_ROOMS for file in (ROOT / "skincli" / room).rglob("*.py")]
    lacking = {
        (str(file.relative_to(ROOT)), module)
        for file in [*files, *(ROOT / "skincli").glob("*.py")]
        for module in imported_packages(file)
        if not {canonicalize_name(name) for name in distributions[module]} & covered
    }
    # `models import` looks into the network of a stranger's bundle.
    assert lacking == {("skincli/tracking/transfer.py", "onnx")}


def without(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of an install that lacks `module`."""
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['skincli', *{words!r}]; "
        "from skincli.cli import main; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "words"), [("torch", ("train", "data=synthetic")), ("matplotlib", ("evaluate", "x"))]
)
def test_a_command_that_a_server_cannot_run_says_so(module, words):
    done = without(module, *words)
    assert done.returncode == 2
    assert f"this needs `{module}`, which a server install leaves out" in done.stderr
    assert "`pip install skincli`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_may_not_be_missing_is_a_fault():
    done = without("omegaconf", "config", "show")
    assert done.returncode == 1
    assert "unexpected ModuleNotFoundError" in done.stderr


def test_the_doctor_calls_a_server_install_healthy():
    required = [Requirement(text) for text in ("mlflow<4,>=3.10", "scipy>=1.16", "torch>=2.11")]
    good, torch = packages.check_server(
        required, {"mlflow": "3.17.2", "scipy": None, "torch": None}
    )
    assert (good.level, good.found, torch.level) == ("ok", "mlflow 3.17.2", "warning")
    assert "`pip install skincli`" in torch.mend


def test_the_doctor_misses_what_a_server_needs():
    required = [Requirement(text) for text in ("rich>=14", "torch>=2.11")]
    _, rich, _ = packages.check_server(required, {"rich": None, "torch": None})
    assert (rich.name, rich.level) == ("package rich", "failure")

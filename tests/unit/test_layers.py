"""The wall: nothing to the right of the bundle loads torch, held in a fresh interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The last are run by other interpreters, with other packages.
HEAVY_ROOMS = (
    "skincli.models",
    "skincli.training",
    "skincli.bench.training",
    "skincli.bench.serving.peers",
)
HEAVY = ("torch", "torchvision", "lightning", "torchmetrics")


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def light_modules() -> list[str]:
    files = sorted((ROOT / "skincli").rglob("*.py"))
    names = [".".join(f.relative_to(ROOT).with_suffix("").parts) for f in files]
    modules = [name.removesuffix(".__init__") for name in names if "__main__" not in name]
    return [m for m in modules if not f"{m}.".startswith(tuple(f"{r}." for r in HEAVY_ROOMS))]


def test_no_light_module_loads_torch():
    modules = light_modules()
    assert len(modules) > 50
    loaded = modules_after("\n".join(f"import {m}" for m in modules))
    assert not loaded.intersection(HEAVY)


@pytest.mark.parametrize("module", ["skincli.cli", "skincli.serving", "skincli.inference.engine"])
def test_what_must_start_quickly_loads_no_mlflow_either(module):
    loaded = modules_after(f"import {module}")
    assert not loaded.intersection({*HEAVY, "mlflow", "sklearn", "matplotlib", "pandas"})


def test_help_needs_nothing_but_typer():
    loaded = modules_after(
        "import sys\nsys.argv = ['skincli', '--help']\n"
        "from skincli.cli.app import app\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()): app(standalone_mode=False)"
    )
    assert not loaded.intersection({"omegaconf", "numpy", "PIL", "onnxruntime", "fastapi", "httpx"})


def test_the_layer_rules_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

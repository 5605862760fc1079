"""What a user installs: the wheel has configs, web page and workflows, and needs no checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_brings_its_configs_and_its_page_along(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    code = (
        "import skincli; from skincli.config.load import load_config; print(skincli.__file__);"
        "print(load_config(['experiment=demo']).config.data.source)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    where, source = done.stdout.split()
    assert Path(where).is_relative_to(installed)
    assert source == "synthetic"
    assert (installed / "skincli" / "py.typed").is_file()
    page = Path("skincli", "serving", "page")
    assert _names(installed / page) == _names(ROOT / page) >= {"index.html", "app.js"}
    assert _names(installed / "skincli/runner/workflows") >= {"ci.yml", "train.yml"}


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}

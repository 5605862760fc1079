"""ONNX Runtime's own reports to its maker, which it makes ready at its first import."""

import os
import subprocess
import sys

import pytest

# Variables that, set by whoever runs the tests, would switch it off too.
OTHERS = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")


@pytest.mark.parametrize("module", ["skincli.inference.engine", "skincli.prediction.predict"])
def test_onnx_runtime_reports_nothing(tmp_path, module):
    environ = {name: value for name, value in os.environ.items() if name not in OTHERS}
    environ |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    code = f"import sys, {module}; assert 'onnxruntime' in sys.modules"
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
    # It would leave the machine's identifier and a queue of reports.
    assert list(tmp_path.iterdir()) == []

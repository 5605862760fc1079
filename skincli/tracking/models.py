"""A bundle as an MLflow model: its own files untouched, with what MLflow needs beside them.

`mlflow.pyfunc.load_model` and `mlflow models serve` understand the result.
"""

import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from skincli.bundle import MODEL_FILE, Bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST_TAG: Final = "skincli.bundle_digest"
MODEL_NAME: Final = "bundle"
_REQUIREMENTS: Final = ("mlflow", "onnx", "onnxruntime", "numpy")


def log_bundle(client: "MlflowClient", run_id: str, bundle: Bundle) -> str:
    """Log `bundle` as a model of the run and return MLflow's id of it."""
    from mlflow.models import Model

    # Made here and not by Model.log, which would put it into the default experiment and thus under
    # the working folder.
    logged = client.create_logged_model(
        experiment_id=client.get_run(run_id).info.experiment_id,
        name=MODEL_NAME,
        source_run_id=run_id,
        tags={DIGEST_TAG: bundle.digest},
    )
    info = Model.log(
        artifact_path=None,
        name=MODEL_NAME,
        flavor=_BundleFlavor,
        run_id=run_id,
        model_id=logged.model_id,
        bundle=bundle,
    )
    client.set_tag(run_id, DIGEST_TAG, bundle.digest)
    return str(info.model_id)


class _BundleFlavor:
    """What MLflow calls to lay out the model's folder."""

    @staticmethod
    def save_model(path: str, mlflow_model: Any, bundle: Bundle) -> None:
        import mlflow.pyfunc

        folder = Path(path)
        folder.mkdir(parents=True)
        for file in bundle.files:
            shutil.copyfile(file, folder / file.name)
        _write_environment(folder)
        mlflow_model.signature = _signature(bundle)
        mlflow.pyfunc.add_to_model(
            mlflow_model,
            loader_module="mlflow.onnx",
            data=MODEL_FILE,
            conda_env="conda.yaml",
            python_env="python_env.yaml",
        )
        mlflow_model.add_flavor(
            "onnx",
            onnx_version=version("onnx"),
            data=MODEL_FILE,
            providers=["CPUExecutionProvider"],
            onnx_session_options=None,
        )
        mlflow_model.save(str(folder / "MLmodel"))


def _signature(bundle: Bundle) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    size, classes = bundle.spec.image_size, len(bundle.spec.classes)
    images = TensorSpec(np.dtype(np.uint8), (-1, size, size, 3), "images")
    outputs: list[ColSpec | TensorSpec] = [
        TensorSpec(np.dtype(np.float32), (-1, classes), "logits"),
        TensorSpec(np.dtype(np.float32), (-1, -1), "features"),
        TensorSpec(np.dtype(np.float32), (-1, classes, -1, -1), "cam"),
    ]
    return ModelSignature(Schema([images]), Schema(outputs))


def _write_environment(folder: Path) -> None:
    """The packages that a scoring server of MLflow's own needs, in the three forms it reads."""
    requirements = [f"{name}=={version(name)}" for name in _REQUIREMENTS]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python = platform.python_version()
    python_env = {
        "python": python,
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": requirements}],
    }
    (folder / "python_env.yaml").write_text(yaml.safe_dump(python_env, sort_keys=False))
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False))

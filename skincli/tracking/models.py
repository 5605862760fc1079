"""A bundle as an MLflow model: its own files untouched, with what MLflow needs beside them.

`mlflow.pyfunc.load_model` and `mlflow models serve` understand the result.
"""

import platform
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from skincli.bundle import MODEL_FILE, Bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

DIGEST_TAG: Final = "skincli.bundle_digest"
METRIC_TAG: Final = "skincli.test_"
MODEL_NAME: Final = "bundle"
_REQUIREMENTS: Final = ("mlflow", "onnx", "onnxruntime", "numpy")


def metrics_of(tags: Mapping[str, str]) -> dict[str, float]:
    """The figures that a version was judged by, from its tags."""
    return {
        key.removeprefix(METRIC_TAG): float(value)
        for key, value in tags.items()
        if key.startswith(METRIC_TAG)
    }


def log_bundle(client: "MlflowClient", run: "Run", bundle: Bundle) -> str:
    """Log `bundle` as a model of the run and return MLflow's id of it.

    Once for a bundle, however often this is called: one that was cut off is completed. The run
    names its model last, so that nobody finds half of one.
    """
    from mlflow.entities import LoggedModelOutput

    run_id = run.info.run_id
    linked = {output.model_id for output in run.outputs.model_outputs} if run.outputs else set()
    model = _begun(client, run, bundle) or client.create_logged_model(
        experiment_id=run.info.experiment_id,
        name=MODEL_NAME,
        source_run_id=run_id,
        tags={DIGEST_TAG: bundle.digest},
    )
    if model.model_id in linked:
        return str(model.model_id)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        _write_model(folder, model, run_id, bundle)
        client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.set_tag(run_id, DIGEST_TAG, bundle.digest)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    return str(model.model_id)


def _begun(client: "MlflowClient", run: "Run", bundle: Bundle) -> Any:
    """The model that an earlier attempt made of this bundle, or None."""
    found = client.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"
    )
    return next((model for model in found if model.tags.get(DIGEST_TAG) == bundle.digest), None)


def _write_model(folder: Path, model: Any, run_id: str, bundle: Bundle) -> None:
    """The model's folder as MLflow reads it: the bundle's files and what stands beside them.

    `Model.log` would do the same, but follows the process's present store instead of a client's.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    folder.mkdir()
    for file in bundle.files:
        shutil.copyfile(file, folder / file.name)
    _write_environment(folder)
    described = Model(
        artifact_path=model.artifact_location,
        model_uuid=model.model_id,
        model_id=model.model_id,
        run_id=run_id,
        signature=_signature(bundle),
    )
    mlflow.pyfunc.add_to_model(
        described,
        loader_module="mlflow.onnx",
        data=MODEL_FILE,
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    described.add_flavor(
        "onnx",
        onnx_version=version("onnx"),
        data=MODEL_FILE,
        providers=["CPUExecutionProvider"],
        onnx_session_options=None,
    )
    described.save(str(folder / "MLmodel"))


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

"""A model of MLflow's from code, for `mlflow models serve`: images come as base64 in JSON.

`python mlflow_app.py FOLDER` saves it there.
"""

import base64
import sys
from pathlib import Path
from typing import Any

import mlflow


class Classifier(mlflow.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        sys.path.insert(0, context.model_config["peers"])
        from engines import load

        self.model = load()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> list[list[float]]:
        return [self.model(base64.b64decode(text)) for text in model_input]


mlflow.models.set_model(Classifier())

if __name__ == "__main__":
    mlflow.pyfunc.save_model(
        sys.argv[1],
        python_model=__file__,
        model_config={"peers": str(Path(__file__).parent)},
        pip_requirements=[],
    )

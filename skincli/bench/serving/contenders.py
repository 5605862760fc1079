"""Who is measured: how each server is started, and in which words it is asked.

skincli is started as its users start it. A peer is started as its own guide says, with as many
workers as cores, by the interpreter of an environment of its own.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import skincli
from skincli.bench.serving.client import json_post, multipart
from skincli.bench.serving.records import Engine, Server
from skincli.bundle import Bundle
from skincli.errors import SkincliError

OURS: Final = "skincli"
_APPS: Final = Path(__file__).with_name("peers")
_FORM: Final = "multipart form"
# No peer calls home while it is measured.
_QUIET: Final = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all: the model, the cores, and a folder to scribble in."""

    bundle: Bundle
    cores: int
    scratch: Path
    overrides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that can be started on a port, with `folder` as its working folder.

    `field` names the form's field that takes the image, None for JSON. `tells_times`: its answers
    say how long decoding and the network took.
    """

    server: Server
    path: str
    field: str | None
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    prepare: tuple[str, ...] = ()
    tells_times: bool = False

    def request(self, image: bytes) -> bytes:
        if self.field is not None:
            return multipart(self.path, self.field, image)
        text = base64.b64encode(image).decode()
        return json_post(self.path, json.dumps({"inputs": [text]}))

    def words(self, port: int) -> list[str]:
        return [word.replace("{port}", str(port)) for word in self.command]

    def variables(self, port: int) -> dict[str, str]:
        return {**os.environ, **self.environment, "BENCH_PORT": str(port)}


@dataclass(frozen=True, slots=True)
class Peer:
    """Another framework; `{python}`, `{folder}` and `{cores}` in its command are filled in."""

    name: str
    package: str
    path: str
    command: tuple[str, ...]
    field: str | None = "image"
    prepare: tuple[str, ...] = ()


PEERS: Final = (
    Peer("FastAPI", "fastapi", "/predict",
         ("uvicorn", "--port={port}", "--log-level=warning", "--no-access-log", "fastapi_app:app")),
    Peer("LitServe", "litserve", "/predict", ("python", f"{_APPS}/litserve_app.py")),
    Peer("BentoML", "bentoml", "/predict",
         ("bentoml", "serve", "bentoml_app:Classifier", "--host=127.0.0.1", "--port={port}",
          f"--working-dir={_APPS}")),
    Peer("MLflow", "mlflow", "/invocations",
         ("mlflow", "models", "serve", "-m", "{model}", "-h", "127.0.0.1", "-p", "{port}",
          "--workers={cores}", "--env-manager=local"),
         field=None, prepare=("python", f"{_APPS}/mlflow_app.py", "{model}")),
)  # fmt: skip
"""The frameworks, by the names under which results speak of them."""


def ourselves(setting: Setting) -> Contender:
    """`skincli serve`, with its journal on and whatever else is its default."""
    folder = setting.scratch / OURS
    folder.mkdir()
    return Contender(
        Server(
            name=OURS,
            framework="skincli",
            version=skincli.__version__,
            engine="onnx",
            sent_as=_FORM,
        ),
        "/v1/predict",
        "images",
        (
            *(sys.executable, "-m", "skincli", "serve", "serve.port={port}"),
            f"serve.model={setting.bundle.folder.absolute()}",
            f"serve.journal.uri=sqlite:///{folder}/journal.db",
            *setting.overrides,
        ),
        {},
        folder,
        tells_times=True,
    )


def peer_contender(peer: Peer, engine: Engine, python: Path, setting: Setting) -> Contender:
    """A peer in the environment of the interpreter `python`. Raises SkincliError."""
    folder = setting.scratch / f"{peer.package}-{engine}"
    folder.mkdir()
    filled = {"{model}": f"{folder}/model", "{cores}": str(setting.cores)}
    return Contender(
        Server(
            name=f"{peer.name}, {engine}",
            framework=peer.package,
            version=_version(peer.package, python),
            engine=engine,
            sent_as=_FORM if peer.field else "base64 in JSON",
        ),
        peer.path,
        peer.field,
        _fill(peer.command, filled, python),
        _environment(engine, python, folder, setting),
        folder,
        _fill(peer.prepare, filled, python),
    )


def _fill(words: Sequence[str], filled: Mapping[str, str], python: Path) -> tuple[str, ...]:
    if not words:
        return ()
    program, *rest = words
    for name, value in filled.items():
        rest = [word.replace(name, value) for word in rest]
    return (str(python.with_name(program)), *rest)


def _environment(engine: Engine, python: Path, folder: Path, setting: Setting) -> dict[str, str]:
    """The decoding of skincli comes along by a link, none of its packages does."""
    (folder / "path").mkdir()
    (folder / "path" / "skincli").symlink_to(Path(skincli.__file__).parent)
    spec = setting.bundle.spec
    return {
        **_QUIET,
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": f"{folder / 'path'}{os.pathsep}{_APPS}",
        "BENTOML_HOME": str(folder),
        "BENCH_ENGINE": engine,
        "BENCH_WORKERS": str(setting.cores),
        "BENCH_MODEL": str(setting.bundle.model.absolute()),
        "BENCH_BACKBONE": spec.backbone,
        "BENCH_CLASSES": str(len(spec.classes)),
        "BENCH_SIZE": str(spec.image_size),
        "BENCH_CROP": spec.crop,
    }


def _version(package: str, python: Path) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkincliError(
            f"`{python}` knows no {package}",
            "make the environments anew: `skincli bench serve --install-peers FOLDER`",
        )
    return done.stdout.strip()

"""The settings of everything that comes after training."""

from dataclasses import dataclass
from typing import Final

from skincli.config.fields import opt, require

NO_STORE: Final = "none"


@dataclass(kw_only=True, slots=True)
class InferenceConfig:
    threads: int = opt(0, "CPU threads of ONNX Runtime; 0: one per core")
    batch_size: int = opt(64, "images per inference step")

    def __post_init__(self) -> None:
        require(self.threads >= 0, "inference.threads", "0 or more")
        require(self.batch_size >= 1, "inference.batch_size", "at least 1")


@dataclass(kw_only=True, slots=True)
class EvaluateConfig:
    root: str = opt("evaluations", "folder under which evaluations are written")


@dataclass(kw_only=True, slots=True)
class TrackingConfig:
    uri: str = opt("sqlite:///mlflow.db", "MLflow store: sqlite:///FILE, http(s)://SERVER, or none")
    experiment: str = opt("skincli", "MLflow experiment that runs belong to")
    host: str = opt("127.0.0.1", "address that `skincli track` listens on")
    port: int = opt(5000, "port that `skincli track` listens on")
    start_timeout: float = opt(180.0, "seconds to wait until the tracking server answers")

    def __post_init__(self) -> None:
        known = self.uri.startswith(("sqlite:///", "http://", "https://")) or self.uri == NO_STORE
        require(known, "tracking.uri", "sqlite:///FILE, an http(s) address, or none")
        require(0 < self.port < 65536, "tracking.port", "between 1 and 65535")


@dataclass(kw_only=True, slots=True)
class RegistryConfig:
    name: str = opt("skin-lesion", "name of the registered model")
    alias: str = opt("champion", "alias that promotion moves and serving follows")


@dataclass(kw_only=True, slots=True)
class ServeConfig:
    host: str = opt("127.0.0.1", "address to listen on")
    port: int = opt(8000, "port to listen on")
    model: str | None = opt(None, "model to serve; default: the alias in the registry")
    max_images: int = opt(32, "images in one request at the most")
    max_body_megabytes: float = opt(64.0, "size of one request at the most")
    max_concurrency: int = opt(64, "requests under way at once; more are answered 503")

    def __post_init__(self) -> None:
        require(0 < self.port < 65536, "serve.port", "between 1 and 65535")
        require(self.max_images >= 1, "serve.max_images", "at least 1")
        require(self.max_body_megabytes > 0, "serve.max_body_megabytes", "above 0")
        require(self.max_concurrency >= 1, "serve.max_concurrency", "at least 1")


@dataclass(kw_only=True, slots=True)
class RunnerConfig:
    repo: str | None = opt(None, "repository URL; default: git's origin")
    image: str = opt("iterativeai/cml:0-dvc2-base1-gpu", "container image of the runner")
    name: str = opt("skincli-runner", "name of the container")
    labels: str = opt("cml-gpu", "labels that workflows ask for, separated by commas")
    idle_timeout: str = opt("never", "never, or a time such as 3min or 1h")
    shm_size: str = opt("8g", "shared memory of the container")
    gpu: bool = opt(True, "give the container the GPUs")

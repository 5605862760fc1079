"""The settings of everything that comes after training."""

import re
from dataclasses import dataclass, field
from typing import Final

from skincli.config.fields import opt, require
from skincli.config.secrets import has_credentials

NO_STORE: Final = "none"


@dataclass(kw_only=True, slots=True)
class InferenceConfig:
    threads: int = opt(0, "CPU threads of ONNX Runtime; 0: one per core")
    batch_size: int = opt(64, "images per inference step")

    def __post_init__(self) -> None:
        require(self.threads >= 0, "inference.threads", "0 or more")
        require(self.batch_size >= 1, "inference.batch_size", "at least 1")


@dataclass(kw_only=True, slots=True)
class Int8Config:
    """What `export --int8` looks at, and what it may cost on the calibration part."""

    images: int = opt(256, "training images that show which range activations need")
    max_accuracy_loss: float = opt(0.01, "balanced accuracy that int8 may lose")
    max_specificity_loss: float = opt(
        0.02, "malignant specificity that int8 may lose, each at its own operating point"
    )
    max_log_loss: float = opt(0.02, "log loss, in nats, that int8 may add")

    def __post_init__(self) -> None:
        require(self.images >= 1, "int8.images", "at least 1")
        for name in ("max_accuracy_loss", "max_specificity_loss", "max_log_loss"):
            require(getattr(self, name) >= 0, f"int8.{name}", "0 or more")


@dataclass(kw_only=True, slots=True)
class EvaluateConfig:
    root: str = opt("evaluations", "folder under which evaluations are written")
    resamples: int = opt(2000, "how often lesions are drawn anew for intervals and comparisons")
    seed: int = opt(0, "seed of these draws")
    subgroup_lesions: int = opt(30, "lesions below which the report marks a subgroup as small")

    def __post_init__(self) -> None:
        # With fewer, the ends of a 95 % interval would rest on one or two draws.
        require(self.resamples >= 100, "evaluate.resamples", "at least 100")
        require(self.seed >= 0, "evaluate.seed", "0 or more")
        require(self.subgroup_lesions >= 1, "evaluate.subgroup_lesions", "at least 1")


@dataclass(kw_only=True, slots=True)
class TrackingConfig:
    uri: str = opt("sqlite:///mlflow.db", "MLflow store: sqlite:///FILE, http(s)://SERVER, or none")
    experiment: str = opt("skincli", "MLflow experiment that runs belong to")
    backend: str | None = opt(
        None, "database that `skincli track` serves: postgresql://HOST/NAME; default: tracking.uri"
    )
    artifacts: str | None = opt(
        None,
        "where the server keeps files: a folder or s3://BUCKET; default: beside the SQLite file",
    )
    s3_endpoint: str | None = opt(None, "address of an S3-compatible service that is not Amazon's")
    host: str = opt("127.0.0.1", "address that `skincli track` listens on")
    port: int = opt(5000, "port that `skincli track` listens on")
    allowed_hosts: list[str] = field(
        default_factory=list,
        metadata={"help": "names that clients call the server by; any other is answered 403"},
    )
    cors_origins: list[str] = field(
        default_factory=list,
        metadata={"help": "other web sites whose pages may write to it: https://HOST"},
    )
    auth: bool = opt(False, "ask for a user and a password")
    start_timeout: float = opt(180.0, "seconds to wait until the tracking server answers")
    backup_root: str = opt("backups", "folder under which `skincli track backup` writes")

    def __post_init__(self) -> None:
        known = self.uri.startswith(("sqlite:///", "http://", "https://")) or self.uri == NO_STORE
        require(known, "tracking.uri", "sqlite:///FILE, an http(s) address, or none")
        require(0 < self.port < 65536, "tracking.port", "between 1 and 65535")
        backend = self.backend or "sqlite:///"
        served = backend.startswith(("sqlite:///", "postgresql://"))
        require(served, "tracking.backend", "sqlite:///FILE or postgresql://HOST/NAME")
        secret = has_credentials(backend) or "password=" in backend
        require(not secret, "tracking.backend", "without user and password: set PGUSER, PGPASSWORD")
        kept = bool(self.artifacts) or backend.startswith("sqlite:///")
        require(kept, "tracking.artifacts", "set where tracking.backend is postgresql://")
        named = all(host and not set(host) & set("/,* ") for host in self.allowed_hosts)
        require(named, "tracking.allowed_hosts", "plain names, such as mlflow.example.org")
        pages = all(re.fullmatch(r"https?://[^/*, ]+", page) for page in self.cors_origins)
        require(pages, "tracking.cors_origins", "addresses without a path: https://HOST")


@dataclass(kw_only=True, slots=True)
class RegistryConfig:
    name: str = opt("skin-lesion", "name of the registered model")
    alias: str = opt("champion", "alias that promotion moves and serving follows")

    def __post_init__(self) -> None:
        rule = "another than the challenger's, which the gate keeps for whom it refused"
        require(self.alias != "challenger", "registry.alias", rule)

"""The settings of what runs by itself: the self-hosted runner, and data versions."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from skincli.config.fields import opt, require

Engine = Literal["cml", "actions"]

# A container's name, a volume's name and a runner's label, as Docker and GitHub take them.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,62}")
_SIZE: Final = re.compile(r"[1-9]\d*[bkmg]?")
_UNIT: Final = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_IDLE_TIMEOUT: Final = re.compile(rf"never|[1-9]\d*|(?:[1-9]\d*{_UNIT})+")


@dataclass(kw_only=True, slots=True)
class RunnerConfig:
    repo: str | None = opt(None, "repository URL; default: git's origin")
    api: str | None = opt(None, "address of GitHub's API; default: that of the repository's host")
    engine: Engine = opt(
        "cml", "cml: one CML runner for many jobs; actions: GitHub's own image, anew for every job"
    )
    cml_image: str = opt("iterativeai/cml:0-dvc2-base1-gpu", "image of the engine cml")
    actions_image: str = opt("ghcr.io/actions/actions-runner:latest", "image of the engine actions")
    name: str = opt("skincli-runner", "name of the container")
    labels: str = opt("cml-gpu", "labels that workflows ask for, separated by commas")
    idle_timeout: str = opt("never", "never, or a time such as 3min or 1h, for the engine cml")
    single: bool = opt(False, "end after one job")
    shm_size: str = opt("8g", "shared memory of the container")
    gpu: bool = opt(True, "give the container the GPUs")
    volume: str = opt(
        "skincli-runner", "Docker volume for what must outlive jobs: store, runs, data cache"
    )
    mounts: list[str] = field(
        default_factory=list,
        metadata={"help": "folders that jobs may read under the same path, such as a data remote"},
    )
    start_timeout: float = opt(300.0, "seconds to wait until GitHub knows the runner")

    def __post_init__(self) -> None:
        for key in ("name", "volume"):
            require(
                _NAME.fullmatch(getattr(self, key)) is not None,
                f"runner.{key}",
                "2 to 63 letters, digits, `_`, `.` or `-`, beginning with a letter or digit",
            )
        labels = self.labels.split(",")
        named = all(re.fullmatch(r"[A-Za-z0-9_.-]+", label) for label in labels)
        require(named, "runner.labels", "labels such as cml-gpu,a100, separated by commas")
        idle = _IDLE_TIMEOUT.fullmatch(self.idle_timeout) is not None
        rule = "never, or a time such as 30s, 3min or 1h; a bare number counts seconds"
        require(idle, "runner.idle_timeout", rule)
        size = _SIZE.fullmatch(self.shm_size) is not None
        require(size, "runner.shm_size", "a size such as 8g or 512m")
        whole = all(Path(path).is_absolute() and ":" not in path for path in self.mounts)
        require(whole, "runner.mounts", "absolute paths without a colon")
        web = self.api is None or self.api.startswith(("https://", "http://"))
        require(web, "runner.api", "an http(s) address")
        require(self.start_timeout > 0, "runner.start_timeout", "above 0")

    @property
    def image(self) -> str:
        """The image of the chosen engine."""
        return self.cml_image if self.engine == "cml" else self.actions_image


@dataclass(kw_only=True, slots=True)
class VersioningConfig:
    dvc: str = opt("dvc", "the DVC command, which lives in an environment of its own")

    def __post_init__(self) -> None:
        require(bool(self.dvc.strip()), "versioning.dvc", "the name or path of a command")

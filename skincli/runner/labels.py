"""What a runner's container says of itself: labels, which are written when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skincli.tracking.processes import is_alive, process_token

_OURS: Final = "skincli"
_ENGINE: Final = "skincli.engine"
_REPOSITORY: Final = "skincli.repository"
_RUNNER: Final = "skincli.runner"
_SUPERVISOR: Final = "skincli.supervisor"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Labels:
    """`ours`: skincli made it, as a runner of `repository`.

    The engine actions alone tells the name of the `runner` at GitHub, and which process of which
    start of the machine is its `supervisor`.
    """

    ours: bool
    engine: str = ""
    repository: str = ""
    runner: str = ""
    supervisor: str = ""

    @classmethod
    def of(cls, told: Mapping[str, str]) -> "Labels":
        keys = (_ENGINE, _REPOSITORY, _RUNNER, _SUPERVISOR)
        return cls(told.get(_OURS) == "runner", *(told.get(key, "") for key in keys))

    def options(self) -> list[str]:
        """The options of `docker run` that write them."""
        values = {
            _OURS: "runner",
            _ENGINE: self.engine,
            _REPOSITORY: self.repository,
            _RUNNER: self.runner,
            _SUPERVISOR: self.supervisor,
        }
        told = [f"{key}={value}" for key, value in values.items() if value]
        return [word for label in told for word in ("--label", label)]

    @property
    def supervisor_process(self) -> str:
        """As `process_token` names it, where it still runs on this machine; else empty."""
        boot, _, process = self.supervisor.partition(":")
        return process if boot == _boot() and is_alive(process) else ""

    @property
    def kept_by_another(self) -> bool:
        """Whether another process than this one is the supervisor, and still runs."""
        return self.supervisor_process not in ("", process_token())


def own_supervisor() -> str:
    """What this process writes as the supervisor of its containers."""
    return f"{_boot()}:{process_token()}"


def _boot() -> str:
    return _BOOT.read_text().strip()

"""What each engine can do with a runner."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner.access import Access
from skincli.runner.container import Container
from skincli.runner.github import Runner


@dataclass(frozen=True, slots=True)
class RunnerStatus:
    """`container` is None where there is none, `runners` what GitHub lists of it.

    `doing` tells more where the engine knows more. `unknown` says why GitHub was not asked; it is
    empty where it was.
    """

    running: bool
    container: Container | None
    runners: tuple[Runner, ...] = ()
    doing: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """`stopped` is False where nothing ran. `unregistered` is None where that is not known, and
    `left` then says what to do about it. `kept`: a container is left, which may start again."""

    stopped: bool
    unregistered: bool | None
    left: str = ""
    kept: bool = False


class NotListed(SkincliError):
    """The time to wait is over. The container still runs, and may yet register."""


class Engine(Protocol):
    """A module of functions. Each raises SkincliError where docker or GitHub fails."""

    def commands(self, config: Config, access: Access, url: str) -> tuple[str, ...]:
        """What `start` does, as lines for a shell."""

    def start(
        self, config: Config, access: Access, before: Collection[int], progress: Progress
    ) -> Runner | None:
        """Start a runner and wait until GitHub lists it; `before` are the ids that it listed.

        Returns None where it was seen to work, but is gone already. Interrupted or failed, it
        leaves nothing that runs, save after NotListed.
        """

    def start_again(
        self, config: Config, access: Access, progress: Progress, allow_public: bool
    ) -> RunnerStatus:
        """Start one that was stopped, unless GitHub refuses it by now."""

    def status(self, config: Config, access: Access) -> RunnerStatus: ...

    def stop(self, config: Config, access: Access, progress: Progress, force: bool) -> Stopped:
        """End it. What a container of many jobs runs is cut off with `force` alone."""

    def log_command(self, config: Config, access: Access) -> list[str]:
        """The command that follows the log until the runner ends."""


def engine_of(name: str) -> Engine:
    from skincli.runner import cml, supervised

    return cml if name == "cml" else supervised

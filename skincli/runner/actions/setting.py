"""What the containers of one runner are made of, and the commands that make them."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from skincli.config.schema import Config
from skincli.errors import UsageError
from skincli.runner.capacity import engine_host
from skincli.runner.checks import Environ
from skincli.runner.container import STOP_SECONDS
from skincli.runner.github import api_of
from skincli.runner.labels import Labels
from skincli.runner.proxies import handed_on
from skincli.runner.volume import MOUNT, given, host_name, mounted, variables

# The runner reads its configuration from here, and takes it out before it starts a job:
# github.com/actions/runner, src/Runner.Listener/CommandSettings.cs.
SECRET_VARIABLE: Final = "ACTIONS_RUNNER_INPUT_JITCONFIG"  # noqa: S105 - a name
# `run.sh` exits with it where GitHub refuses the runner's version, and with 0 whatever else ends
# the runner: src/Misc/layoutroot/run-helper.sh.template.
DEPRECATED: Final = 7
_BEHAVIOUR: Final = {
    "ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE": "1",
    # Without it `run.sh` dies of SIGTERM at once, and the runner is killed under its job.
    "RUNNER_MANUALLY_TRAP_SIG": "1",
    # The image sends the whole diagnostic log to its output, some MB a day.
    "ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT": "0",
}
# The image's user and group: images/Dockerfile.
_USER, _GROUP = 1001, 123
_ARCHITECTURES: Final = {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}
# GitHub takes names of 64 characters.
_LONGEST: Final = 64 - 7


@dataclass(frozen=True, slots=True)
class Setting:
    """Nothing in it is secret. `labels` are all that GitHub gets, `variables` the containers'."""

    name: str
    image: str
    labels: tuple[str, ...]
    gpu: bool
    shm_size: str
    volume: str
    mounts: tuple[str, ...]
    variables: Mapping[str, str]
    repository: str
    api: str
    single: bool

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> "Setting":
        told = json.loads(text)
        lists = {name: tuple(told[name]) for name in ("labels", "mounts")}
        return cls(**told | lists)


def setting_of(config: Config, url: str, environ: Environ) -> Setting:
    """The setting for a repository's URL, on the machine of docker's engine.

    Raises UsageError for an architecture without runner.
    """
    runner, architecture = config.runner, engine_host(environ).architecture
    if architecture not in _ARCHITECTURES:
        raise UsageError(
            f"GitHub's image is for x64 and arm64, docker's engine runs on {architecture}",
            "take a machine of one of these",
        )
    labels = ("self-hosted", "Linux", _ARCHITECTURES[architecture], *runner.labels.split(","))
    return Setting(
        name=runner.name,
        image=runner.actions_image,
        labels=labels,
        gpu=runner.gpu,
        shm_size=runner.shm_size,
        volume=runner.volume,
        mounts=tuple(runner.mounts),
        variables=variables(config) | handed_on(environ) | _BEHAVIOUR,
        repository=url,
        api=api_of(url, runner.api),
        single=runner.single,
    )


def fresh_name(setting: Setting) -> str:
    """A name at GitHub that no runner had before."""
    return f"{setting.name[:_LONGEST]}-{secrets.token_hex(3)}"


def names_made_for(container: str) -> re.Pattern[str]:
    """The names at GitHub that `fresh_name` may give the runners of a container of this name."""
    return re.compile(rf"{re.escape(container[:_LONGEST])}-[0-9a-f]{{6}}")


def create_command(setting: Setting, runner: str, supervisor: str = "") -> list[str]:
    """The container of one job, which a supervisor may make. The value of the secret variable is
    taken from docker's own environment, so that it is in no argument and no file."""
    gpus = ["--gpus", "all"] if setting.gpu else []
    labels = Labels(True, "actions", setting.repository, runner, supervisor)
    return [
        *("docker", "create", "--rm", "--init", "--name", setting.name),
        *("--hostname", host_name(setting.name)),
        *labels.options(),
        *gpus,
        *("--shm-size", setting.shm_size, "--stop-timeout", str(STOP_SECONDS)),
        *mounted(setting.volume, setting.mounts),
        *given(setting.variables),
        *("-e", SECRET_VARIABLE, setting.image, "./run.sh"),
    ]


def start_command(setting: Setting) -> list[str]:
    """Start it and show what it prints, until it ends."""
    return ["docker", "start", "--attach", setting.name]


def pull_command(setting: Setting) -> list[str]:
    return ["docker", "pull", "--quiet", setting.image]


def own_command(setting: Setting) -> list[str]:
    """Give the volume to the image's user: a new one belongs to root, as what CML wrote does."""
    others = [MOUNT, "!", "-user", str(_USER)]
    return [
        *("docker", "run", "--rm", "--user", "0", *mounted(setting.volume, ())),
        *("--entrypoint", "find", setting.image, *others),
        *("-exec", "chown", "-h", f"{_USER}:{_GROUP}", "{}", "+"),
    ]

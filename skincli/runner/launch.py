"""The command that starts a CML runner, and its start.

CML's options and what it does with them: https://cml.dev/doc/ref/runner, and `bin/cml/runner/
launch.js` of https://github.com/iterative/cml.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import container, proxies, volume
from skincli.runner.access import Access
from skincli.runner.ask import ask_to_the_end
from skincli.runner.checks import Environ
from skincli.runner.complaints import failure
from skincli.runner.labels import Labels
from skincli.runner.token import TOKEN_VARIABLE

# Another command was faster: what has the name is what that one makes.
_TAKEN: Final = "is already in use by container"


def start_command(config: Config, url: str, environ: Environ) -> list[str]:
    """The `docker run` of a runner. The image's entry point hands `runner launch` to CML.

    Docker's client takes the token from its own environment, so that it is in no argument and no
    file of this machine but docker's own. CML keeps the variable that is named to it from the jobs.

    CML gets no `--name`: it makes up a new one whenever its process starts. One killed by SIGKILL
    stays registered, and under the same name the next start would fail for ever.
    """
    runner = config.runner
    told = {"_CML_RUNNER_SENSITIVE_ENV": TOKEN_VARIABLE}
    told |= volume.variables(config) | proxies.handed_on(environ)
    # A runner that ends on purpose must not be started again by docker.
    forever = runner.idle_timeout == "never" and not runner.single
    restart = ["--restart", "unless-stopped"] if forever else []
    gpus = ["--gpus", "all"] if runner.gpu else []
    return [
        *("docker", "run", "-d", "--init", "--name", runner.name),
        *("--hostname", volume.host_name(runner.name)),
        *Labels(ours=True, engine="cml", repository=url).options(),
        # Docker's default log has no limit, and this one may be followed for months.
        *(*restart, *gpus, "--log-driver", "local"),
        *("--shm-size", runner.shm_size, "--stop-timeout", str(container.STOP_SECONDS)),
        *volume.mounted(runner.volume, runner.mounts),
        *("-e", TOKEN_VARIABLE, *volume.given(told), runner.image),
        *("runner", "launch", "--driver", "github", "--repo", url, "--labels", runner.labels),
        *("--idle-timeout", idle_timeout(runner), *(["--single"] if runner.single else [])),
    ]


def idle_timeout(runner: RunnerConfig) -> str:
    """The time as every CML takes it.

    Some versions refuse the word `never` in a way that ends the process with exit code 0, which a
    restart policy repeats for ever. All take a number of seconds and count only above 0.
    """
    return "0" if runner.idle_timeout == "never" else runner.idle_timeout


def start(config: Config, access: Access, progress: Progress) -> str:
    """Start the container and return its id. Raises SkincliError with docker's own reason.

    Interrupted or refused, it leaves no container.
    """
    name, environ, (url, _) = config.runner.name, access.environ, access.repository
    command, printed = start_command(config, url, environ), list[str]()
    try:
        given = {**environ, TOKEN_VARIABLE: access.token}
        answer = ask_to_the_end(command, given, printed.append)
    except BaseException:
        # Without an id, docker's client was ended before it could tell one.
        undo("".join(printed).strip() or name, environ, progress)
        raise
    if not answer.ok:
        if _TAKEN not in answer.err:
            _remove_unstarted(name, environ)
        raise failure("start the runner", answer, access.token)
    return answer.out.strip()


def undo(identity: str, environ: Environ, progress: Progress) -> None:
    """Take back a start: the runner unregisters, its container goes."""
    with warned(progress, "the runner may still be there"):
        found = container.find(identity, environ)
        if found is not None and found.labels.ours:
            container.stop(identity, environ)
            container.remove(identity, environ)


@contextmanager
def warned(progress: Progress, left: str) -> Iterator[None]:
    """What fails while something is taken back is told, and does not hide why that is done."""
    try:
        yield
    except SkincliError as error:
        progress.warn(f"{left}: {error.message}; {error.hint}")


def _remove_unstarted(name: str, environ: Environ) -> None:
    """Docker keeps a container that it created but could not start, and with it the name."""
    with suppress(SkincliError):
        found = container.find(name, environ)
        if found is not None and found.labels.ours and found.status == "created":
            container.remove(name, environ)

"""All that is looked at before a runner starts, each thing with its own mend."""

from dataclasses import dataclass
from typing import Final

from skincli.config.automation import RunnerConfig
from skincli.config.schema import Config
from skincli.progress import Progress
from skincli.runner import capacity, image, proxies, registered, volume
from skincli.runner import checks as look
from skincli.runner.access import Access
from skincli.runner.checks import Check, Environ
from skincli.runner.github import GitHubError, Runner
from skincli.runner.present import name_free

_X64: Final = ("x86_64", "amd64")
_ARM64: Final = ("aarch64", "arm64")


@dataclass(frozen=True, slots=True)
class Findings:
    """`runners` are all that GitHub listed, `ghosts` those of them that were left behind."""

    checks: tuple[Check, ...]
    runners: tuple[Runner, ...] = ()
    ghosts: tuple[Runner, ...] = ()
    image_here: bool = False

    @property
    def ready(self) -> bool:
        return all(check.level != "failure" for check in self.checks)


def examine(
    config: Config,
    access: Access,
    progress: Progress,
    *,
    dry_run: bool,
    replace: bool,
    allow_public: bool,
) -> Findings:
    """Look at the machine, the settings and GitHub. A dry run downloads no image for it."""
    runner = config.runner
    checks = [*_machine(config, access, replace), *access.checks, volume.store(config)]
    checks += [volume.folders(runner.mounts)] if runner.mounts else []
    proxy = proxies.check(access.environ, runner.engine)
    checks += [proxy] if proxy is not None else []
    online, runners, ghosts = at_github(config, access, allow_public)
    found = Findings((*checks, *online), runners, ghosts)
    if not _engine_answers(found):
        return found
    return _with_image(found, runner, access.environ, progress, pull=found.ready and not dry_run)


def _machine(config: Config, access: Access, replace: bool) -> list[Check]:
    """The checks of the GPU and of docker. Each that builds on a failed one is left out."""
    runner, environ = config.runner, access.environ
    found = [look.nvidia_driver(environ)] if runner.gpu else []
    found.append(look.docker_client(environ))
    if found[-1].ok:
        found.append(look.docker_engine(environ))
    if found[-1].ok:
        host = capacity.engine_host(environ)
        found += [
            _architecture(host.architecture, runner),
            capacity.memory(host, runner.shm_size),
            capacity.disk(host),
            name_free(config, access, replace),
        ]
    return found


def at_github(
    config: Config, access: Access, allow_public: bool
) -> tuple[list[Check], tuple[Runner, ...], tuple[Runner, ...]]:
    """The checks that ask GitHub, all runners that it lists, and which of them are ghosts."""
    github, runner = access.github, config.runner
    found = []
    if runner.engine == "cml":
        found += [_cml(), registered.downloads()]
    elif runner.idle_timeout != "never":
        ignored = "actions, which ignores `runner.idle_timeout`: each container is for one job"
        found.append(Check("engine", "warning", ignored, "`--single` ends it after one"))
    if github is None:
        return found, (), ()
    found.append(registered.rights(github))
    if not found[-1].ok:
        return found, (), ()
    found.append(registered.visibility(github, allow_public))
    try:
        runners = github.runners()
    except GitHubError as error:
        return [*found, Check("ghosts", "failure", error.message, error.hint)], (), ()
    found.append(registered.ghosts(runners, runner))
    return found, runners, registered.ghosts_of(runners, runner)


def _with_image(
    found: Findings, runner: RunnerConfig, environ: Environ, progress: Progress, pull: bool
) -> Findings:
    """`found` and the checks that need the image, which is downloaded if `pull`."""
    here, checks = image.is_here(runner.image, environ), []
    if here:
        checks.append(Check("image", "ok", f"`{runner.image}` is here"))
    elif pull:
        checks.append(image.pull(runner.image, environ, progress))
        here = checks[-1].ok
    else:
        later = f"`{runner.image}` is not here yet: the start downloads several GB"
        checks.append(Check("image", "warning", later, "`docker pull` does so now"))
    if runner.gpu:
        tried = image.toolkit(runner.image, environ) if here else image.untried(runner.image)
        checks.append(tried)
    return Findings((*found.checks, *checks), found.runners, found.ghosts, here)


def _engine_answers(found: Findings) -> bool:
    return any(check.name == "docker engine" and check.ok for check in found.checks)


def _architecture(machine: str, runner: RunnerConfig) -> Check:
    title = "architecture"
    if machine in _X64 or (machine in _ARM64 and runner.engine == "actions"):
        return Check(title, "ok", machine)
    if machine in _ARM64:
        found = f"{machine}, where CML downloads GitHub's runner for x64 alone"
        return Check(title, "failure", found, "`--engine actions`: its image is made for arm64 too")
    found = f"{machine}: GitHub's runner is made for x86_64 and arm64"
    return Check(title, "failure", found, "take another machine")


def _cml() -> Check:
    """What does not work, or not well, with this engine."""
    found = (
        "cml: last released in 2024; Ubuntu 20.04 with Python 3.8, too old for skincli; "
        "`docker inspect`, and a job that looks for it, can read the token"
    )
    mend = (
        "workflows bring their own Python through uv; `--engine actions` is up to date, and keeps "
        "the token out of its containers"
    )
    return Check("engine", "warning", found, mend)

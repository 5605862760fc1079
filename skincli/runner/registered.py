"""What GitHub says before a start: rights, who may see the repository, ghosts, downloads."""

import re
from collections.abc import Sequence
from typing import Final

import httpx

from skincli.config.automation import RunnerConfig
from skincli.runner.checks import Check
from skincli.runner.github import GitHub, GitHubError, Runner

# The names that CML makes up, with and without its prefix.
_MADE_UP: Final = re.compile(r"cml-.+|[0-9a-z]{8,10}")
_NEWEST: Final = "/repos/actions/runner/releases/latest"
_PATIENCE: Final = 5.0


def rights(github: GitHub) -> Check:
    """Whether the token may register runners: shown by doing the first step of it."""
    try:
        github.check_rights()
    except GitHubError as error:
        return Check("token's rights", "failure", error.message, error.hint)
    return Check("token's rights", "ok", "may administer the repository's runners")


def visibility(github: GitHub, allow_public: bool) -> Check:
    """A stranger's pull request to a public repository would run its code on this machine."""
    title = "visibility"
    try:
        repository = github.repository()
    except GitHubError as error:
        return Check(title, "failure", error.message, error.hint)
    if repository.private:
        return Check(title, "ok", f"{repository.full_name} is private")
    found = (
        f"{repository.full_name} is public: a stranger's pull request could run code on this "
        "machine, with its network and all that the volume holds"
    )
    if allow_public:
        mend = "let every outside contributor's workflow wait for an approval (Settings, Actions)"
        return Check(title, "warning", found, mend)
    return Check(title, "failure", found, "make it private, or accept that with `--allow-public`")


def has_labels(runner: Runner, config: RunnerConfig) -> bool:
    """Whether a runner carries all labels of the config; to GitHub, case makes no difference."""
    wanted = config.labels.lower().split(",")
    return {label.lower() for label in runner.labels} >= set(wanted)


def is_made_up(name: str) -> bool:
    """Whether CML makes up such names."""
    return _MADE_UP.fullmatch(name) is not None


def ghosts_of(runners: Sequence[Runner], config: RunnerConfig) -> tuple[Runner, ...]:
    """The runners that ended without unregistering: offline, with our labels and such a name."""
    return tuple(
        runner
        for runner in runners
        if not runner.online
        and has_labels(runner, config)
        and (_MADE_UP.fullmatch(runner.name) or runner.name.startswith(config.name))
    )


def ghosts(found: Sequence[Runner]) -> Check:
    if not found:
        return Check("ghosts", "ok", "none")
    names = ", ".join(runner.name for runner in found)
    mend = "`--replace` takes them off GitHub's list, which after 14 days does so by itself"
    return Check("ghosts", "warning", f"registered with these labels, offline: {names}", mend)


def downloads(api: str) -> Check:
    """Whether GitHub answers what CML asks without a token at its start: the newest runner."""
    title = "runner download"
    mend = "CML cannot start without it: check the network and the proxy of this machine"
    try:
        answer = httpx.get(api + _NEWEST, timeout=_PATIENCE, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, OSError, ValueError) as error:
        found = f"`{api}` does not answer ({type(error).__name__})"
        return Check(title, "failure", found, mend)
    if answer.status_code in (403, 429):
        found = f"`{api}` refuses questions without a token for now (status {answer.status_code})"
        mend = "CML would end at its start: wait up to an hour, or take `--engine actions`"
        return Check(title, "warning", found, mend)
    if answer.status_code >= 500:
        return Check(title, "warning", f"`{api}` answers {answer.status_code}", "try again later")
    # GitHub refuses runners older than 2.329, and those that are not updated within 30 days.
    return Check(title, "ok", f"`{api}` answers: each start fetches GitHub's newest runner")

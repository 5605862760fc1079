"""What GitHub says before a start: rights, who may see the repository, ghosts, downloads."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import httpx

from skincli.config.automation import RunnerConfig
from skincli.runner.actions.setting import names_made_for
from skincli.runner.checks import Check
from skincli.runner.github import GitHub, GitHubError, Runner

# The names that CML makes up: ten characters of 36, in some versions after a prefix. Where no digit
# is before a letter, as in `trainbox01`, somebody may have chosen it, and one in sixteen is missed.
_MADE_UP: Final = re.compile(r"(?:cml-)?(?=[a-z]*[0-9]+[a-z])[0-9a-z]{10}")
# CML asks it by itself, whatever host the repository is on, without token and without proxy.
NEWEST_RUNNER: Final = "https://api.github.com/repos/actions/runner/releases/latest"
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
    """Those that ended without unregistering: offline, with our labels and a name of an engine's.

    What somebody named by hand is nobody's to remove, be it offline or not.
    """
    ours = names_made_for(config.name)
    return tuple(
        runner
        for runner in _offline(runners, config)
        if is_made_up(runner.name) or ours.fullmatch(runner.name)
    )


def ghosts(runners: Sequence[Runner], config: RunnerConfig) -> Check:
    found = ghosts_of(runners, config)
    names = ", ".join(runner.name for runner in found) or "none"
    others = ", ".join(each.name for each in _offline(runners, config) if each not in found)
    kept = f"; of a name that no engine made up, and kept: {others}" if others else ""
    if not found:
        return Check("ghosts", "ok", f"{names}{kept}")
    mend = (
        "`--replace` takes them off GitHub's list, which after 14 days does so by itself; one of "
        "another machine that is off for now would be among them"
    )
    return Check("ghosts", "warning", f"registered with these labels, offline: {names}{kept}", mend)


def downloads() -> Check:
    """Whether GitHub answers what CML asks without a token at its start: the newest runner."""
    title, host = "runner download", httpx.URL(NEWEST_RUNNER).host
    mend = "CML cannot start without it: check the network, or take `--engine actions`"
    wait = "CML would end at its start: wait up to an hour, or take `--engine actions`"
    try:
        # As CML asks: with what goes through a proxy it would fail.
        answer = httpx.get(NEWEST_RUNNER, timeout=_PATIENCE, follow_redirects=True, trust_env=False)
    except (httpx.HTTPError, ImportError, OSError) as error:
        found = f"`{host}` does not answer without a proxy ({type(error).__name__})"
        return Check(title, "failure", found, mend)
    if answer.status_code in (403, 429):
        found = f"`{host}` refuses questions without a token for now (status {answer.status_code})"
        return Check(title, "warning", found, wait)
    newest = _newest(answer)
    if not newest:
        found = f"`{host}` answers {answer.status_code}, and names no newest runner"
        return Check(title, "warning" if answer.status_code >= 500 else "failure", found, mend)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        found = f"`{host}` answers no more questions without a token for now"
        return Check(title, "warning", found, wait)
    # GitHub refuses runners older than 2.329, and those that are not updated within 30 days.
    return Check(title, "ok", f"`{host}` answers: a new container fetches runner {newest}")


def _offline(runners: Sequence[Runner], config: RunnerConfig) -> list[Runner]:
    return [each for each in runners if not each.online and has_labels(each, config)]


def _newest(answer: httpx.Response) -> str:
    """The version that GitHub names, empty where something else has answered."""
    with suppress(ValueError, KeyError, TypeError):
        if answer.status_code == httpx.codes.OK:
            return str(answer.json()["tag_name"])
    return ""

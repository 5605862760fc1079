"""What GitHub knows of a repository and its runners, and what it is asked to change about them.

The questions: https://docs.github.com/en/rest/actions/self-hosted-runners.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from skincli.errors import UsageError
from skincli.patience import Patience
from skincli.runner.github_api import PATIENCE, Api, GitHubError
from skincli.runner.github_rights import SPELLING

__all__ = [
    "GitHub",
    "GitHubError",
    "JustInTime",
    "Repository",
    "Runner",
    "api_of",
    "just_in_time_question",
]

_PER_PAGE: Final = 100
_MOST_PAGES: Final = 100
# A repository has this one group, and the question for a configuration must name it.
_DEFAULT_GROUP: Final = 1


@dataclass(frozen=True, slots=True)
class Repository:
    full_name: str
    private: bool
    url: str


@dataclass(frozen=True, slots=True)
class Runner:
    """`status` is "online" or "offline"; `labels` are its own and those that GitHub gives it."""

    id: int
    name: str
    os: str
    status: str
    busy: bool
    labels: tuple[str, ...]

    @property
    def online(self) -> bool:
        return self.status == "online"


@dataclass(frozen=True, slots=True)
class JustInTime:
    """A registration for one job. `encoded` is a secret: who has it can be this runner."""

    runner_id: int
    encoded: str

    def __repr__(self) -> str:
        return f"JustInTime(runner_id={self.runner_id}, encoded=***)"


def api_of(url: str, configured: str | None) -> str:
    """The address of the API for a repository's URL, or the configured one."""
    if configured is not None:
        return configured.rstrip("/")
    host = httpx.URL(url).netloc.decode("ascii")
    if host in ("github.com", "www.github.com"):
        return "https://api.github.com"
    # GitHub Enterprise Cloud with data residency, and GitHub Enterprise Server.
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"https://{host}/api/v3"


class GitHub:
    """One repository at GitHub, as a token may see it. Every question may raise GitHubError."""

    def __init__(
        self, api: str, repository_url: str, token: str, patience: Patience = PATIENCE
    ) -> None:
        self._path = _path_of(repository_url)
        self.url = repository_url
        self._api = Api(api, token, patience)

    def repository(self) -> Repository:
        found = _json(self._api.ask("GET", self._path))
        try:
            return Repository(str(found["full_name"]), bool(found["private"]), found["html_url"])
        except (KeyError, TypeError):
            raise _unusable() from None

    def runners(self) -> tuple[Runner, ...]:
        """All runners of the repository, whoever set them up."""
        found: dict[int, Runner] = {}
        for page in range(1, _MOST_PAGES + 1):
            params = {"per_page": _PER_PAGE, "page": page}
            answer = self._api.ask("GET", f"{self._path}/actions/runners", params=params)
            try:
                runners = [_runner(entry) for entry in _json(answer)["runners"]]
            except (KeyError, TypeError, ValueError):
                raise _unusable() from None
            found |= {runner.id: runner for runner in runners}
            if "next" not in answer.links:
                break
        return tuple(found.values())

    def check_rights(self) -> None:
        """Raises GitHubError unless the token may administer the repository's runners.

        Nothing short of it is sure: this makes a registration token, which is dropped and of no use
        after an hour.
        """
        try:
            self._api.ask("POST", f"{self._path}/actions/runners/registration-token")
        except GitHubError as error:
            if error.status != 404:
                raise
            seen = self.repository()
            raise GitHubError(
                f"the token sees {seen.full_name}, but may not administer its runners",
                error.hint.removesuffix(SPELLING),
                status=404,
                reason=error.reason,
            ) from None

    def remove(self, runner_id: int) -> None:
        """Take a runner off GitHub's list. One that is gone already is fine."""
        try:
            self._api.ask("DELETE", f"{self._path}/actions/runners/{runner_id}")
        except GitHubError as error:
            if error.status == 422:
                raise GitHubError(
                    f"GitHub does not let go of runner {runner_id}: {error.reason}",
                    "it runs a job: cancel the job, or wait for its end",
                    status=422,
                    reason=error.reason,
                ) from None
            if error.status != 404:
                raise

    def just_in_time(self, name: str, labels: Sequence[str]) -> JustInTime:
        """Register a runner for one job. `labels` are all that it gets, "self-hosted" included.

        Asked once: what an answer that was lost has made would take the name. A name that is
        taken is a GitHubError with the status 409.
        """
        path, wanted = just_in_time_question(self.url, name, labels)
        made = _json(self._api.ask("POST", path, tries=1, json=wanted))
        try:
            return JustInTime(int(made["runner"]["id"]), str(made["encoded_jit_config"]))
        except (KeyError, TypeError, ValueError):
            raise _unusable() from None


def just_in_time_question(
    repository_url: str, name: str, labels: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """The path and the content of the question for a registration for one job."""
    wanted = {
        "name": name,
        "runner_group_id": _DEFAULT_GROUP,
        "labels": list(labels),
        "work_folder": "_work",
    }
    return f"{_path_of(repository_url)}/actions/runners/generate-jitconfig", wanted


def _path_of(repository_url: str) -> str:
    parts = httpx.URL(repository_url).path.strip("/").split("/")
    if len(parts) != 2 or not all(parts):
        raise UsageError(f"`{repository_url}` is not the https address of a repository")
    return f"/repos/{parts[0]}/{parts[1]}"


def _runner(entry: dict[str, Any]) -> Runner:
    labels = tuple(str(label["name"]) for label in entry["labels"])
    name, system = str(entry["name"]), str(entry["os"])
    return Runner(int(entry["id"]), name, system, str(entry["status"]), bool(entry["busy"]), labels)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise _unusable() from None


def _unusable() -> GitHubError:
    return GitHubError(
        "GitHub's answer cannot be used: it is not what the API promises",
        "check that `runner.api` is the address of GitHub's API, and that no proxy answers for it",
    )

"""Waiting until GitHub lists the runner that was started."""

import time
from collections.abc import Collection, Sequence
from typing import Final

from skincli.config.automation import RunnerConfig
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.runner import container
from skincli.runner.access import Access
from skincli.runner.engine import NotListed
from skincli.runner.github import GitHubError, Runner
from skincli.runner.registered import has_labels
from skincli.runner.token import masked

_POLL_SECONDS: Final = 2.0


def wait_until_registered(
    runner: RunnerConfig, access: Access, before: Collection[int], progress: Progress
) -> Runner:
    """The runner as GitHub lists it once it is online; `before` are the ids that were there.

    Raises SkincliError when the container ends first, having shown the end of its log, and
    NotListed when `runner.start_timeout` is over.
    """
    _, github = access.repository
    deadline = time.monotonic() + runner.start_timeout
    trouble = ""
    with progress.step("waiting for GitHub to list the runner", 0):
        while time.monotonic() < deadline:
            _require_alive(runner.name, access, progress)
            try:
                for each in found_at(github.runners(), runner, access, before):
                    if each.online:
                        return each
                trouble = ""
            except GitHubError as error:
                if not error.transient:
                    raise
                trouble = f" ({error.message})"
            time.sleep(_POLL_SECONDS)
    raise NotListed(
        f"GitHub did not list the runner within {runner.start_timeout:g} seconds{trouble}",
        "`skincli runner-setup --logs` shows what it is doing, `--stop` ends it; "
        "`runner.start_timeout=SECONDS` waits longer",
    )


def found_at(
    runners: Sequence[Runner], config: RunnerConfig, access: Access, before: Collection[int] = ()
) -> tuple[Runner, ...]:
    """The container's own runner; where it cannot be told, those with its labels not `before`."""
    number = container.registered_id(config.name, access.environ)
    if number is not None:
        return tuple(each for each in runners if each.id == number)
    return tuple(each for each in runners if has_labels(each, config) and each.id not in before)


def _require_alive(name: str, access: Access, progress: Progress) -> None:
    """Raises SkincliError when the container is gone, or its process ended once already."""
    found = container.find(name, access.environ)
    if found is not None and (found.running or found.status == "created") and not found.restarts:
        return
    if found is None:
        raise SkincliError("the runner's container was removed while it started")
    lines = [masked(line, access.token) for line in container.last_lines(name, access.environ)]
    if lines:
        progress.panel(f"the end of the log of {name}", [("", "\n".join(lines))])
    last = f": {lines[-1]}" if lines else ", and wrote nothing"
    raise SkincliError(
        f"the runner ended with exit code {found.exit_code} before GitHub listed it{last}",
        "docs/runner.md lists what its log may say",
    )

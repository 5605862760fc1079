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
from skincli.runner.registered import has_labels, is_made_up
from skincli.runner.token import masked

_POLL_SECONDS: Final = 2.0


def wait_until_registered(
    identity: str,
    runner: RunnerConfig,
    access: Access,
    before: Collection[int],
    progress: Progress,
) -> Runner:
    """The runner as GitHub lists it once it is online; `before` are the ids that were there.

    The container is told by its id: another may get its name meanwhile.

    Raises SkincliError when the container ends first, having shown the end of its log, and
    NotListed when `runner.start_timeout` is over.
    """
    _, github = access.repository
    deadline = time.monotonic() + runner.start_timeout
    trouble = ""
    with progress.step("waiting for GitHub to list the runner", 0):
        while time.monotonic() < deadline:
            _require_alive(identity, runner.name, access, progress)
            try:
                found = _found(github.runners(), identity, runner, access, before)
                if found is not None and found.online:
                    return found
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


def _found(
    runners: Sequence[Runner],
    identity: str,
    config: RunnerConfig,
    access: Access,
    before: Collection[int],
) -> Runner | None:
    """The container's own runner; where it cannot be told, a new one that looks like CML's."""
    registered = container.registration(identity, access.environ)
    if registered is not None:
        return registered.among(runners)
    new = (each for each in runners if each.id not in before)
    return next((each for each in new if is_made_up(each.name) and has_labels(each, config)), None)


def _require_alive(identity: str, name: str, access: Access, progress: Progress) -> None:
    """Raises SkincliError when the container is gone, or its process ended once already."""
    found = container.find(identity, access.environ)
    if found is not None and (found.running or found.status == "created") and not found.restarts:
        return
    if found is None:
        raise SkincliError("the runner's container was removed while it started")
    lines = [masked(line, access.token) for line in container.last_lines(identity, access.environ)]
    if lines:
        progress.panel(f"the end of the log of {name}", [("", "\n".join(lines))])
    last = f": {lines[-1]}" if lines else ", and wrote nothing"
    raise SkincliError(
        f"the runner ended with exit code {found.exit_code} before GitHub listed it{last}",
        "docs/runner.md lists what its log may say",
    )

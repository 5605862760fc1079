"""Runners that GitHub still lists, though nothing runs them any more."""

from collections.abc import Sequence

from skincli.progress import Progress
from skincli.runner.github import GitHub, GitHubError


def remove_ghosts(github: GitHub, names: Sequence[str], progress: Progress) -> tuple[str, ...]:
    """Take the runners of these names off GitHub's list. Raises GitHubError.

    Returns those that GitHub thinks busy: they stay until it has given up their jobs.
    """
    kept = []
    for runner in github.runners() if names else ():
        if runner.name in names:
            try:
                github.remove(runner.id)
                progress.note(f"removed {runner.name} at GitHub")
            except GitHubError as error:
                if error.status != 422:
                    raise
                kept.append(runner.name)
                progress.note(f"{runner.name} goes once GitHub has cancelled its job")
    return tuple(kept)

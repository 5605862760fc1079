"""Runners that GitHub still lists, though nothing runs them any more."""

from collections.abc import Sequence

from skincli.progress import Progress
from skincli.runner.github import GitHub, GitHubError


def remove_ghosts(github: GitHub, names: Sequence[str], progress: Progress) -> None:
    """Take the runners of these names off GitHub's list. Raises GitHubError.

    One that GitHub thinks busy stays: it goes with its job, as every runner for one job does.
    """
    if not names:
        return
    for runner in github.runners():
        if runner.name in names:
            try:
                github.remove(runner.id)
                progress.note(f"removed {runner.name} at GitHub")
            except GitHubError as error:
                if error.status != 422:
                    raise
                progress.note(f"{runner.name} goes once GitHub has cancelled its job")

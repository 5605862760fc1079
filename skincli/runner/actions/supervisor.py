"""Keeping a runner at hand: one container after the other, each for one job.

What can go wrong, and what is done: GitHub away, or asked too often: wait, as long as it takes.
Docker away: wait, before GitHub is asked for anything. A container that ends at once without a job,
a refusal: try again after ever longer waits, and give up after some, so that nothing spins.
"""

import time
from dataclasses import replace
from typing import Any, Final

from skincli.errors import SkincliError, UsageError
from skincli.patience import Patience
from skincli.progress import Progress
from skincli.runner import container
from skincli.runner.actions.ending import end_container
from skincli.runner.actions.ghosts import remove_ghosts
from skincli.runner.actions.preparing import pull
from skincli.runner.actions.setting import DEPRECATED, Setting, fresh_name
from skincli.runner.actions.state import Files, Noted, now
from skincli.runner.actions.turn import DOCKER_PATIENCE, Ended, Turn, job_of
from skincli.runner.checks import Environ, docker_engine
from skincli.runner.github import GitHub, GitHubError
from skincli.tracking.locking import exclusively
from skincli.tracking.processes import process_token

MOST_FAILURES: Final = 5
# A container that lived so long has not failed at its start.
LASTING_SECONDS: Final = 60.0
# GitHub refuses runners that were not updated for 30 days.
REFRESH_SECONDS: Final = 24 * 3600.0
_FAILURE_PATIENCE: Final = Patience(first=2.0, longest=60.0)
_GITHUB_PATIENCE: Final = Patience(first=2.0, longest=300.0, longest_asked=3700.0)


class Supervisor:
    """The loop of one container's name on this machine. `environ` holds no token."""

    def __init__(
        self, setting: Setting, github: GitHub, environ: Environ, progress: Progress
    ) -> None:
        self._setting = setting
        self._github = github
        self._environ = environ
        self._progress = progress
        self._files = Files(setting.name)
        self._noted = Noted(process_token(), setting.repository, since=now())
        self._pulled = time.monotonic()

    def run(self) -> Noted:
        """See jobs through, one with `single`, else until it is interrupted.

        Raises UsageError when another supervisor or engine has the name, SkincliError when
        containers end without a job again and again. However it ends, the container is gone
        afterwards, and GitHub knows of none that was left.
        """
        self._files.make()
        busy = f"another supervisor keeps `{self._setting.name}` going"
        with exclusively(self._files.lock, busy, "`--status` tells of it, `--stop` ends it"):
            before = self._files.read()
            if before is not None and before.repository == self._setting.repository:
                self._note(registered=before.registered)
            said = "stopped"
            try:
                self._keep_going()
                said = "ended after one job"
            except SkincliError as error:
                said = f"gave up: {error.message}"
                raise
            finally:
                self._clear_away(said)
        return self._noted

    def _keep_going(self) -> None:
        failures = 0
        self._await_docker()
        ended = self._take_over()
        while True:
            if ended is not None:
                if ended.job:
                    self._see_off(ended)
                if ended.job and self._setting.single:
                    return
                lasting = ended.job or ended.seconds >= LASTING_SECONDS
                failures = 0 if lasting else failures + 1
                self._refresh(outdated=ended.code == DEPRECATED)
                if failures:
                    self._bear(failures, ended)
            ended = self._turn()

    def _take_over(self) -> Ended | None:
        """Wait for a job that an earlier supervisor left running; idle containers are replaced."""
        name = self._setting.name
        found = container.find(name, self._environ)
        if found is None:
            return None
        runner = found.labels.runner
        if found.labels.kept_by_another:
            raise UsageError(
                f"another supervisor keeps the container `{name}` going",
                "`--stop` as the user who started that, or choose `--name`",
            )
        if found.labels.engine != "actions":
            raise UsageError(
                f"there is a container `{name}` that the engine actions did not make",
                f"end it with `docker stop {name}` and `docker rm {name}`, or choose `--name`",
            )
        job = job_of(name, self._environ) if found.running else ""
        if job:
            self._progress.note(f"{runner} runs the job {job}; waiting for its end")
            others = tuple(each for each in self._noted.registered if each != runner)
            self._note(runner=runner, registered=(*others, runner))
            return self._new_turn().adopt(job)
        self._progress.note(f"removing the idle container of {runner}")
        self._note(registered=(*self._noted.registered, runner))
        end_container(name, self._environ)
        return None

    def _turn(self) -> Ended:
        """One container. What fails before its start is told as one that ended without a job."""
        try:
            self._await_docker()
            # Docker may have kept one that it made and could not start, and with it the name.
            end_container(self._setting.name, self._environ)
            turn = self._new_turn()
            name, encoded = self._registered()
            turn.create(name, encoded)
            return turn.run()
        except SkincliError as error:
            return Ended(False, False, 0, 0.0, (f"{error.message}; {error.hint}".rstrip("; "),))

    def _registered(self) -> tuple[str, str]:
        """A runner's name and configuration. Waits while GitHub is away. Raises GitHubError."""
        failures = 0
        while True:
            name = fresh_name(self._setting)
            try:
                left = remove_ghosts(self._github, self._noted.registered, self._progress)
                # Noted first: what is lost on the way may have been registered.
                self._note(runner=name, registered=(*left, name), doing=f"registering {name}")
                made = self._github.just_in_time(name, self._setting.labels)
            except GitHubError as error:
                if not error.transient and error.status != 409:
                    raise
                failures += 1
                self._wait_for_github(error, failures)
            else:
                self._progress.note(f"registered {name}")
                self._note(doing="waiting for a job")
                return name, made.encoded

    def _wait_for_github(self, error: GitHubError, failures: int) -> None:
        seconds = _GITHUB_PATIENCE.seconds(failures, error.asked)
        self._progress.warn(f"{error.message}; asking again in {seconds:.0f} seconds")
        self._note(doing=f"waiting for GitHub: {error.message}")
        time.sleep(seconds)

    def _await_docker(self) -> None:
        failures = 0
        while not (check := docker_engine(self._environ)).ok:
            failures += 1
            self._progress.warn(f"docker does not answer: {check.found}")
            self._note(doing=f"waiting for docker: {check.found}")
            time.sleep(DOCKER_PATIENCE.seconds(failures))

    def _bear(self, failures: int, ended: Ended) -> None:
        """Wait before another try, or give up. Raises SkincliError."""
        last = ended.lines[-1] if ended.lines else "it printed nothing"
        if failures >= MOST_FAILURES:
            raise SkincliError(
                f"{failures} containers in a row ended without a job, the last with: {last}",
                "mend that, then start it again",
            )
        seconds = _FAILURE_PATIENCE.seconds(failures)
        self._progress.warn(f"ended without a job ({last}); again in {seconds:.0f} seconds")
        self._note(doing=f"waiting after a failure: {last}")
        time.sleep(seconds)

    def _see_off(self, ended: Ended) -> None:
        """GitHub itself takes a runner off its list once its job is over.

        One that ended under its job stays noted: GitHub lists it long after it gave the job up.
        """
        if not ended.done:
            runner, code = self._noted.runner, ended.code
            self._progress.warn(f"the end of the job of {runner} was not seen (exit code {code})")
            return
        left = tuple(each for each in self._noted.registered if each != self._noted.runner)
        self._note(registered=left, jobs=self._noted.jobs + 1, doing="between two jobs")

    def _refresh(self, outdated: bool) -> None:
        """Fetch the newest image about once a day, and where GitHub wants a later runner."""
        if outdated or time.monotonic() - self._pulled > REFRESH_SECONDS:
            pull(self._setting, self._environ, self._progress)
            self._pulled = time.monotonic()

    def _clear_away(self, said: str) -> None:
        """Stop the container, which cancels its job, and forget its runner at GitHub."""
        self._note(doing="stopping")
        try:
            end_container(self._setting.name, self._environ)
            left = remove_ghosts(self._github, self._noted.registered, self._progress)
            self._note(registered=left)
        except SkincliError as error:
            self._progress.warn(f"{error.message}; the next start clears this away")
        self._note(doing=said, over=True)

    def _new_turn(self) -> Turn:
        def began(job: str) -> None:
            self._note(doing=f"running the job {job}")

        return Turn(self._setting, self._environ, self._progress.note, began)

    def _note(self, **changes: Any) -> None:
        if "doing" in changes:
            changes["since"] = now()
        self._noted = replace(self._noted, **changes)
        try:
            self._files.write(self._noted)
        except OSError as error:  # a full disk is for the jobs to complain about
            self._progress.warn(f"nothing can be noted in `{self._files.folder}`: {error.strerror}")

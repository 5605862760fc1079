"""A docker whose containers of GitHub's own image take one job each."""

import fcntl
import sys
from contextlib import contextmanager
from pathlib import Path

from standins.docker import DockerStandIn

IMAGE = "ghcr.io/actions/actions-runner:latest"
_HERE = Path(__file__).parent
_LAUNCHER = f"""#!{sys.executable} -IS
import sys
sys.path[:0] = [{str(_HERE)!r}, {str(_HERE.parent / "docker")!r}]
import jobs
sys.exit(jobs.main())
"""


class ActionsDocker(DockerStandIn):
    """Jobs wait in a queue for whichever container comes first; the test says when one is over.

    `play(actions="ends")` makes containers end at once, `"outdated"` because GitHub refuses their
    version. `play(cut=True)` cuts docker's client off once, during a job; `play(lingers=N)` lets
    a container that has ended be seen so many times before docker has removed it.
    """

    def __init__(self, folder, github):
        super().__init__(folder, github)
        self._write("docker", _LAUNCHER)
        with self._changed() as state:
            state["images"].append(IMAGE)
            state["jobs"] = []

    def play(self, **settings):
        with self._changed() as state:
            state["play"] |= settings

    def queue(self, name, over=False):
        """A job for the next free runner, which is over at once, or after `finish`."""
        with self._changed() as state:
            state["jobs"].append({"name": name, "status": "queued", "runner": "", "over": over})

    def finish(self, name):
        with self._changed() as state:
            next(job for job in state["jobs"] if job["name"] == name)["over"] = True

    def job(self, name):
        """Its status: queued, running, done or cancelled."""
        with self._changed() as state:
            return next(job for job in state["jobs"] if job["name"] == name)["status"]

    def close(self):
        """No container is left, and with it no client that shows what one prints."""
        with self._changed() as state:
            gone = {found["id"]: {"code": 137, "log": []} for found in state["containers"].values()}
            state["containers"], state["gone"] = {}, state.get("gone", {}) | gone

    @contextmanager
    def _changed(self):
        """The state, while no stand-in program changes it."""
        with (self.folder / "state.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self.state()
            yield state
            self._save(state)

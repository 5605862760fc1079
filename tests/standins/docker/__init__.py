"""A docker without an engine: it remembers containers, and notes how it was called."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

IMAGE = "iterativeai/cml:0-dvc2-base1-gpu"
_LAUNCHER = f"""#!{sys.executable} -IS
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import program
sys.exit(program.main())
"""
_WELL = {
    "engine": "up",  # down, denied, hangs
    "toolkit": "ok",  # missing, broken
    "gpus": 1,
    "pull": "ok",  # or docker's reason
    "run": "ok",  # full, repeats: the token in a complaint
    "run_seconds": 0.0,  # between the container's start and the end of `docker run`
    "cml": "registers",  # ends, silent: never registers, deaf: does not unregister
    "code": 1,  # of a CML that ends
    "log": ["the last words"],  # of a CML that ends; TOKEN is replaced by the token
    "stop": "ok",  # or docker's reason not to
    "link": "",  # what a job put in the place of the runner's registration: a link to here
    "looks": 0,  # so often is the container looked at before it registers
    "github": "",  # address of GitHub's stand-in
    # What is at no path of this machine cannot be measured on it.
    "info": {"DockerRootDir": "/none/docker", "MemTotal": 135000000000, "Architecture": "x86_64"},
}


class DockerStandIn:
    """A folder of programs; `environ` finds these and git, and nothing else."""

    def __init__(self, folder, github=""):
        self.folder = folder
        (folder / "git").symlink_to(shutil.which("git"))
        self._write("docker", _LAUNCHER)
        state = {"containers": {}, "volumes": [], "images": [IMAGE], "play": _WELL}
        self._save(state)
        self.play(github=github)
        self.play_driver("NVIDIA H200, 143771 MiB, 570.86.15")

    @property
    def environ(self):
        # The ceiling keeps git from finding a repository around the tests' own folder.
        folder = str(self.folder)
        return {"PATH": folder, "HOME": folder, "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}

    def play(self, **settings):
        """From now on it is like this: see `_WELL`."""
        state = self.state()
        state["play"] |= settings
        self._save(state)

    def play_driver(self, text, code=0):
        """What `nvidia-smi` says, with nothing but what a shell itself can do."""
        said = f"printf '%s\\n' {shlex.quote(text)}"
        self._write("nvidia-smi", f"#!/bin/sh\n{said}\nexit {code}\n")

    def remove(self, program):
        (self.folder / program).unlink()

    def forget_image(self):
        self._save(self.state() | {"images": []})

    def run(self, *words):
        """Call it by hand: `kill NAME`, or `crash NAME` for a process that dies inside."""
        command = [self.folder / "docker", *words]
        subprocess.run(command, env=self.environ, check=True, capture_output=True)

    def add(self, name, status="running", **labels):
        """A container that was there before; without labels it is somebody else's."""
        told = {f"skincli.{key}": value for key, value in labels.items()}
        told |= {"skincli": "runner"} if labels else {}
        found = {"id": os.urandom(32).hex(), "name": name, "labels": told, "status": status}
        found |= {
            "code": 0,
            "restarts": 0,
            "log": [],
            "runner": None,
            "looks": 0,
            "registered": True,
            "restart": "no",
            "hostname": name,
        }
        state = self.state()
        state["containers"][name] = found | {"command": ["runner", "launch"], "env": {}}
        self._save(state)

    def state(self):
        return json.loads((self.folder / "state.json").read_text())

    @property
    def containers(self):
        return self.state()["containers"]

    def calls(self, verb=None):
        """The calls so far, as `argv` and `env`."""
        log = self.folder / "calls.jsonl"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [call for call in calls if verb is None or call["argv"][0] == verb]

    def changes(self):
        """The calls that change something."""
        verbs = ("run", "rm", "stop", "start", "pull", "kill")
        return [call for call in self.calls() if call["argv"][0] in verbs]

    def _write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def _save(self, state):
        (self.folder / "state.json").write_text(json.dumps(state))

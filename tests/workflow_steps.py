"""The jobs of a GitHub workflow, run step by step as GitHub's runner does.

`run` steps are run by a real bash, with files for the environment, the path, outputs and the
summary. Actions are played by whatever the test gives for them; one that is not given is refused.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_expressions import fill_in, holds

_SHELLS = {"bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"), None: ("bash", "-e")}
_FILES = ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY")
_UNDERSTOOD = {"name", "id", "if", "uses", "with", "env", "run", "working-directory"}


@dataclass
class Machine:
    """A runner: its folders, its process's environment, and what `github` and the like tell.

    `forced` is environment that no workflow may set otherwise: what a test has to keep to itself.
    """

    root: Path
    contexts: dict[str, Any]
    environ: dict[str, str]
    actions: Mapping[str, Callable[["Job", dict[str, str]], None]]
    forced: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    @property
    def environment_variables(self) -> dict[str, str]:
        github = self.contexts["github"]
        told = {f"GITHUB_{key.upper()}": value for key, value in github.items()}
        places = {"GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp)}
        return told | places | {"CI": "true", "GITHUB_ACTIONS": "true"}


@dataclass
class Done:
    """A step that ran: its name, the code it ended with, and all that it printed."""

    name: str
    code: int
    output: str


@dataclass
class Job:
    """One job. `environ` and `path` grow with what its steps write into GitHub's files."""

    workflow: dict[Any, Any]
    name: str
    machine: Machine
    needs: dict[str, Any] = field(default_factory=dict)
    matrix: dict[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    steps: list[Done] = field(default_factory=list)
    outputs: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    summary: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def definition(self) -> dict[str, Any]:
        return self.workflow["jobs"][self.name]

    @property
    def contexts(self) -> dict[str, Any]:
        runner = {"temp": str(self.machine.temp)}
        here = {"runner": runner, "steps": self.outputs, "matrix": self.matrix, "needs": self.needs}
        return self.machine.contexts | here

    @property
    def ok(self) -> bool:
        return all(step.code == 0 for step in self.steps)

    def run(self) -> "Job":
        """Run the steps, on a machine as the runner finds it. A skipped job has no steps then."""
        if not holds(self.definition.get("if"), self.contexts, True):
            return self
        for folder in (self.machine.workspace, self.machine.temp):
            folder.mkdir(parents=True, exist_ok=True)
        for layer in (self.workflow, self.definition):
            self.environ |= self._filled(layer.get("env"))
        for number, step in enumerate(self.definition["steps"]):
            assert not step.keys() - _UNDERSTOOD, f"not understood: {step}"
            if self._title(step) not in self.skip and holds(step.get("if"), self.contexts, self.ok):
                self._step(step, self.machine.temp / f"step-{number}")
        return self

    def require_ok(self) -> None:
        if not self.ok:
            last = self.steps[-1]
            pytest.fail(f"`{last.name}` ended with {last.code}:\n{last.output}")

    def output_of(self, name: str) -> str:
        [found] = [step.output for step in self.steps if step.name == name]
        return found

    def _title(self, step: dict[str, Any]) -> str:
        return step.get("name") or step["uses"].partition("@")[0]

    def _filled(self, values: Mapping[str, Any] | None) -> dict[str, str]:
        return {key: fill_in(str(value), self.contexts) for key, value in (values or {}).items()}

    def _step(self, step: dict[str, Any], files: Path) -> None:
        if "uses" in step:
            action = step["uses"].partition("@")[0]
            inputs = {
                key: fill_in(
                    str(value).lower() if isinstance(value, bool) else str(value), self.contexts
                )
                for key, value in step.get("with", {}).items()
            }
            self.machine.actions[action](self, inputs)
            self.steps.append(Done(self._title(step), 0, ""))
            return
        files.mkdir(exist_ok=True)
        self.steps.append(self._bash(step, files))
        self._take_over(step.get("id"), files)

    def _bash(self, step: dict[str, Any], files: Path) -> Done:
        script = files / "script.sh"
        script.write_text(step["run"])  # expressions in it would not be filled in: they are refused
        assert "${{" not in step["run"]
        told = {}
        for name in _FILES:
            (files / name).touch()
            told[f"GITHUB_{name}"] = str(files / name)
        folder = self.machine.workspace / fill_in(step.get("working-directory", "."), self.contexts)
        shell = _SHELLS[self.workflow.get("defaults", {}).get("run", {}).get("shell")]
        with (files / "log").open("w+") as log:
            self.process = subprocess.Popen(
                [*shell, script],
                cwd=folder,
                env=self.variables() | self._filled(step.get("env")) | told | self.machine.forced,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            code = self.process.wait()
        return Done(self._title(step), code, (files / "log").read_text())

    def kill(self) -> None:
        """End the step as a machine that is taken away does, with all that it began."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)

    def variables(self) -> dict[str, str]:
        """The environment of the next step, but for its own `env`."""
        merged = self.machine.environ | self.machine.environment_variables | self.environ
        return merged | {"PATH": os.pathsep.join([*reversed(self.path), merged["PATH"]])}

    def _take_over(self, step_id: str | None, files: Path) -> None:
        self.environ |= _pairs(files / "ENV")
        self.path += (files / "PATH").read_text().splitlines()
        self.summary += (files / "STEP_SUMMARY").read_text()
        if step_id:
            self.outputs[step_id] = {"outputs": _pairs(files / "OUTPUT")}


def _pairs(file: Path) -> dict[str, str]:
    """`name=value` by the line; the form for values of several lines is not understood."""
    lines = file.read_text().splitlines()
    assert all("=" in line and "<<" not in line for line in lines), lines
    return dict(line.split("=", 1) for line in lines)


def load(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text()))

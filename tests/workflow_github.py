"""What GitHub is to the jobs of a workflow: repository, machines, artifacts and comments."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from standins.comments import CommentsStandIn
from workflow_steps import Job, Machine, load

from skincli.config.schema import Config
from skincli.runner.volume import MOUNT, variables

_SCRIPT = Path(__file__).with_name("github_script.mjs")
_SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
)


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def run_script(
    folder: Path, script: str, github: dict[str, str], api: str
) -> subprocess.CompletedProcess[str]:
    """Run what actions/github-script is given, in a real node."""
    owner, _, name = github["repository"].partition("/")
    context = {
        "repo": {"owner": owner, "repo": name},
        "sha": github["sha"],
        "eventName": github["event_name"],
        "payload": {"action": "drift"} if github["event_name"] == "repository_dispatch" else {},
        "runId": int(github.get("run_id", "7")),
        "serverUrl": "https://github.com",
    }
    return subprocess.run(
        ["node", _SCRIPT],
        cwd=folder,
        input=json.dumps({"script": script, "context": context, "api": api}),
        capture_output=True,
        text=True,
        check=False,
    )


class GitHub:
    """A repository at GitHub, whose files are those of the git repository `source`.

    `index` is what its machines take packages from, `volume` what the self-hosted one keeps.
    """

    def __init__(self, root: Path, name: str, source: Path, index: Path, api: CommentsStandIn):
        self.root, self.name, self.source, self.index, self.api = root, name, source, index, api
        self.event = "push"
        self.run_id = "7"
        self.ref = "refs/heads/main"
        self.actions = {
            "actions/checkout": self._check_out,
            "actions/setup-python": self._set_up,
            "astral-sh/setup-uv": self._set_up,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
            "actions/github-script": self._script,
        }

    @property
    def volume(self) -> Path:
        return self.root / "volume"

    @property
    def sha(self) -> str:
        return git(self.source, "rev-parse", "HEAD")

    def job(self, file: str, name: str, overrides: str = "", **more: str) -> Job:
        """A job of a workflow in this repository, on a machine of its kind; `more` is forced."""
        workflow = load(self.source / ".github" / "workflows" / file)
        hosted = workflow["jobs"][name]["runs-on"] == "ubuntu-latest"
        github = {
            "repository": self.name,
            "ref": self.ref,
            "sha": self.sha,
            "event_name": self.event,
            "run_id": self.run_id,
        }
        contexts = {
            "github": github,
            "inputs": {"overrides": overrides},
            "secrets": dict.fromkeys(_SECRETS, ""),
        }
        folder = self.root / ("hosted" if hosted else "own")
        if hosted:  # a new machine for each job
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder / "temp", ignore_errors=True)
        environ = self._environ(folder) | ({} if hosted else self._container())
        machine = Machine(folder, contexts, environ, self.actions, forced=more)
        return Job(workflow, name, machine)

    def train(self, overrides: str = "") -> Job:
        """The whole of `train.yml`: the job on the own machine, then the one that posts."""
        job = self.job("train.yml", "train", overrides).run()
        if job.steps and job.ok:
            self.job("train.yml", "post").run()
        return job

    def _environ(self, folder: Path) -> dict[str, str]:
        (folder / "home").mkdir(parents=True, exist_ok=True)
        found = {shutil.which(name) for name in ("git", "node", "npm", "make")}
        programs = {str(Path(path).parent) for path in found if path}
        return {
            "HOME": str(folder / "home"),
            "PATH": os.pathsep.join((*programs, "/usr/bin", "/bin")),
            "RUNNER_ENVIRONMENT": "github-hosted",
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.index),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
        }

    def _container(self) -> dict[str, str]:
        """What the container of the self-hosted runner tells its jobs."""
        told = variables(Config()).items()
        moved = {key: value.replace(MOUNT, str(self.volume), 1) for key, value in told}
        return moved | {"RUNNER_ENVIRONMENT": "self-hosted"}

    def _check_out(self, job: Job, inputs: dict[str, str]) -> None:
        assert inputs == {"persist-credentials": "false"}
        workspace = job.machine.workspace
        if not (workspace / ".git").exists():
            git(workspace, "clone", "--quiet", "--no-local", str(self.source), ".")
        git(workspace, "fetch", "--quiet", "origin")
        git(workspace, "checkout", "--quiet", "--force", "--detach", self.sha)
        git(workspace, "clean", "-ffdxq")

    def _set_up(self, job: Job, inputs: dict[str, str]) -> None:
        """Python is that of the tests, whichever version is asked for."""
        tools = job.machine.root / "tools"
        tools.mkdir(exist_ok=True)
        for name in ("uv", "uvx"):
            shutil.copy(Path(sys.prefix) / "bin" / name, tools)
        python = Path(sys.base_prefix) / "bin"
        job.environ["UV_PYTHON"] = str(python / "python3")
        job.path += [str(python), str(tools)]

    def _upload(self, job: Job, inputs: dict[str, str]) -> None:
        assert any(Path(inputs["path"]).iterdir()), "nothing to upload"
        artifact = self.root / "artifacts" / inputs["name"]
        shutil.rmtree(artifact, ignore_errors=True)
        shutil.copytree(inputs["path"], artifact)

    def _download(self, job: Job, inputs: dict[str, str]) -> None:
        artifact = self.root / "artifacts" / inputs["name"]
        shutil.copytree(artifact, job.machine.workspace / inputs["path"])

    def _script(self, job: Job, inputs: dict[str, str]) -> None:
        github = job.machine.contexts["github"]
        done = run_script(job.machine.workspace, inputs["script"], github, self.api.url)
        assert done.returncode == 0, done.stderr

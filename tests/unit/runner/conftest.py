"""Stand-ins for `docker` and `nvidia-smi`: they record how they were called and play answers."""

import json
import shutil
import stat
import sys

import pytest

_STAND_IN = f"""#!{sys.executable} -IS
import json, os, sys

folder, name = os.path.split(os.path.abspath(sys.argv[0]))
arguments = sys.argv[1:]
call = {{"program": name, "argv": arguments, "env": dict(os.environ)}}
if "--env-file" in arguments:
    path = arguments[arguments.index("--env-file") + 1]
    call["env_file"] = path
    call["env_file_mode"] = os.stat(path).st_mode
    call["env_file_text"] = open(path).read()
with open(folder + "/calls.jsonl", "a") as stream:
    stream.write(json.dumps(call) + "\\n")
with open(folder + "/answers.json") as stream:
    answers = json.load(stream)
verb = next(a for a in [*arguments, ""] if a not in ("container", ""))
queue = answers[name + " " + verb]
code, out, err = queue.pop(0) if len(queue) > 1 else queue[0]
with open(folder + "/answers.json", "w") as stream:
    json.dump(answers, stream)
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""

CONTAINER = "4f1c" * 16
_NO_CONTAINER = (1, "\n", "Error response from daemon: No such container: skincli-runner\n")
_GPU_QUERY = "--query-gpu=name,memory.total,driver_version"
_WELL = {
    "docker --version": [(0, "Docker version 28.2.2, build e6534b4\n", "")],
    "docker version": [(0, "28.2.2\n", "")],
    "docker info": [(0, '{"io.containerd.runc.v2":{},"nvidia":{},"runc":{}}\n', "")],
    "docker inspect": [_NO_CONTAINER],
    "docker run": [(0, CONTAINER + "\n", "Unable to find image locally\n")],
    "docker rm": [(0, "skincli-runner\n", "")],
    f"nvidia-smi {_GPU_QUERY}": [(0, "NVIDIA H200, 143771 MiB, 570.86.15\n", "")],
}


class StandIns:
    """A folder of programs; `environ` finds these and git, and nothing else."""

    no_container = _NO_CONTAINER

    def __init__(self, folder):
        self.folder = folder
        self.answers = dict(_WELL)
        git = shutil.which("git")
        (folder / "git").symlink_to(git)
        for name in ("docker", "nvidia-smi"):
            path = folder / name
            path.write_text(_STAND_IN)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self._save()

    @property
    def environ(self):
        # The ceiling keeps git from finding a repository around the tests' own folder.
        folder = str(self.folder)
        return {"PATH": folder, "HOME": folder, "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}

    def play(self, call, *answers):
        """Answer `call` (program and verb) with each of `answers` in turn, the last for ever."""
        self.answers[call] = list(answers)
        self._save()

    def play_gpu(self, answer):
        self.play(f"nvidia-smi {_GPU_QUERY}", answer)

    def remove(self, name):
        (self.folder / name).unlink()

    def calls(self, verb=None):
        log = self.folder / "calls.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        calls = [json.loads(line) for line in lines]
        return [c for c in calls if verb is None or c["argv"][0] == verb]

    def _save(self):
        (self.folder / "answers.json").write_text(json.dumps(self.answers))


@pytest.fixture
def programs(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    return StandIns(folder)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    here = tmp_path / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

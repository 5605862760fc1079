"""The Dockerfile, read; and its steps, done in a folder by a machine that has no Docker."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)
# Folders of the image that the steps name.
_PLACES = re.compile(r"(?<![\w./])/(opt/skincli|data|src)\b")


@dataclass(frozen=True)
class Instruction:
    word: str
    text: str

    @property
    def command(self) -> list[str]:
        """The words of an exec form."""
        words: list[str] = json.loads(self.text)
        return words

    @property
    def flags(self) -> dict[str, str]:
        return dict(re.findall(r"--([\w-]+)=(\S+)", self.text))


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, without its FROM."""
    text = _COMMENT.sub("", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    steps = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
    found: list[list[Instruction]] = []
    for word, _, rest in steps:
        if word == "FROM":
            found.append([])
        else:
            found[-1].append(Instruction(word, " ".join(rest.split())))
    return found


def last(word: str) -> Instruction:
    """The instruction of the final stage that counts."""
    return [step for step in stages()[-1] if step.word == word][-1]


def healthcheck() -> list[str]:
    """The command that Docker asks for the container's health."""
    command: list[str] = json.loads(last("HEALTHCHECK").text.partition("CMD ")[2])
    return command


def environment() -> dict[str, str]:
    pairs = [shlex.split(step.text) for step in stages()[-1] if step.word == "ENV"]
    return dict(pair.split("=", 1) for words in pairs for pair in words)


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path at the top of the context from the builder."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = False
    for line in lines:
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and fnmatch(path, pattern):
            ignored = not line.startswith("!")
    return ignored


@dataclass(frozen=True)
class Image:
    """What the Dockerfile makes, below `root` instead of `/`, with this machine's Python."""

    root: Path

    def placed(self, text: str) -> str:
        return _PLACES.sub(lambda place: f"{self.root}/{place[1]}", text)

    @property
    def environ(self) -> dict[str, str]:
        """What a process in a container of it finds."""
        own = {name: self.placed(value) for name, value in environment().items()}
        return os.environ | own | {"PATH": own["PATH"].replace("$PATH", _path())}

    def build(self) -> None:
        first, final = stages()
        self._do(first, os.environ | {"PATH": _path()})
        self._do(final, self.environ)

    def _do(self, steps: list[Instruction], environ: dict[str, str]) -> None:
        folder = self.root
        for step in steps:
            if step.word == "WORKDIR":
                folder = Path(self.placed(step.text))
                folder.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(step, folder)
            elif step.word == "RUN":
                command = self.placed(step.text)
                subprocess.run(["/bin/sh", "-ec", command], cwd=folder, env=environ, check=True)

    def _copy(self, step: Instruction, folder: Path) -> None:
        *sources, target = (word for word in step.text.split() if not word.startswith("--"))
        for source in sources:
            stands = Path(self.placed(source)) if "from" in step.flags else ROOT / source
            goes = folder / self.placed(target)
            if stands.is_dir() and stands != goes:
                hidden = shutil.ignore_patterns("__pycache__")
                shutil.copytree(stands, goes, ignore=hidden, dirs_exist_ok=True)
            elif stands.is_file():
                shutil.copy(stands, goes)


def _path() -> str:
    """Where this Python comes first, as that of the base image does."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

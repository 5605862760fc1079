"""The installed `skincli`, driven as a user does: a real process, its streams, its exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKINCLI = Path(sys.executable).with_name("skincli")
INSTRUMENTED = (sys.executable, Path(__file__).with_name("instrumented.py"))
_ENVIRONMENT = {"NO_COLOR": "1", "COLUMNS": "120"}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def spawn(
    folder: Path, *words: str, program: Sequence[str | Path] = (SKINCLI,), **environ: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*program, *words],
        cwd=folder,
        env=os.environ | _ENVIRONMENT | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def skincli(
    folder: Path,
    *words: str,
    code: int = 0,
    program: Sequence[str | Path] = (SKINCLI,),
    **environ: str,
) -> Done:
    """Run a command to its end and require its exit code."""
    process = spawn(folder, *words, program=program, **environ)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, f"{words}: {process.returncode}\n{out}\n{err}"
    return Done(process.returncode, out, err)

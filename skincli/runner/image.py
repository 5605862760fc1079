"""The runner's image: whether it is here, its download, and a GPU inside of it."""

import shlex
from typing import Final

from skincli.progress import Progress
from skincli.runner.ask import ask
from skincli.runner.checks import Check, Environ
from skincli.runner.complaints import mend

# A container that only lists the GPUs takes seconds, on a busy machine some more.
_TOOLKIT_PATIENCE: Final = 120.0


def is_here(image: str, environ: Environ) -> bool:
    return ask(["docker", "image", "inspect", "--format", "{{.Id}}", image], environ).ok


def pull(image: str, environ: Environ, progress: Progress) -> Check:
    """Download the image, which the first time takes minutes."""
    progress.note(f"downloading {image}, which is several GB; the next time it is here already")
    with progress.step(f"docker pull {image}", 0):
        answer = ask(pull_command(image), environ, timeout=None)
    if answer.ok:
        return Check("image", "ok", f"`{image}` was downloaded")
    return Check("image", "failure", answer.complaint, mend(answer.complaint))


def pull_command(image: str) -> list[str]:
    return ["docker", "pull", "--quiet", image]


def toolkit(image: str, environ: Environ) -> Check:
    """Whether the NVIDIA Container Toolkit works: a container of `image` lists the GPUs."""
    answer = ask(toolkit_command(image), environ, _TOOLKIT_PATIENCE)
    title = "NVIDIA container toolkit"
    # Without a GPU it says "No devices found." and ends with 0.
    if answer.ok and "no devices" not in answer.out.lower():
        gpus = sum(line.startswith("GPU ") for line in answer.out.splitlines())
        return Check(title, "ok", f"a container sees {gpus or 'its'} GPU{'s' if gpus != 1 else ''}")
    found = "a container sees no GPU" if answer.ok else answer.complaint
    return Check(title, "failure", found, mend(found))


def untried(image: str) -> Check:
    found = "not tried: the image is not here yet"
    return Check("NVIDIA container toolkit", "warning", found, shlex.join(toolkit_command(image)))


def toolkit_command(image: str) -> list[str]:
    gpus = ["--gpus", "all", "--entrypoint", "nvidia-smi"]
    return ["docker", "run", "--rm", *gpus, image, "-L"]

"""Docker's known complaints, and how to mend what they are about."""

from typing import Final

from skincli.errors import SkincliError
from skincli.runner.ask import Answer
from skincli.runner.token import masked

_TOOLKIT: Final = (
    "install the NVIDIA Container Toolkit, then run `sudo nvidia-ctk runtime configure "
    "--runtime=docker` and `sudo systemctl restart docker`; or do without GPU: `--cpu`"
)
_AGAIN: Final = "mend that, then run the same command again"
# The first that a complaint holds counts.
_MENDS: Final = (
    ("could not select device driver", _TOOLKIT),
    ("unknown or invalid runtime name: nvidia", _TOOLKIT),
    (
        "libnvidia-ml",
        "driver and toolkit do not fit: install the newest NVIDIA Container Toolkit, then reboot",
    ),
    ("nvidia-container-cli", "reboot if the driver was just updated, else repair the driver"),
    (
        "no space left",
        "make room where docker keeps its files: `docker system prune` removes what is unused",
    ),
    ("permission denied", "run `sudo usermod -aG docker $USER`, then log in again"),
    ("cannot connect to the docker daemon", "start it with `sudo systemctl start docker`"),
    ("is already in use by container", "choose another `--name`, or take over with `--replace`"),
    ("there is no `docker`", "install Docker Engine: https://docs.docker.com/engine/install/"),
    ("toomanyrequests", "`docker login`, or wait: the registry limits how often it is asked"),
    ("manifest unknown", "check `--image`: the registry has no such tag"),
    ("manifest for", "check `--image`: the registry has no such tag"),
    ("pull access denied", "check `--image`, or `docker login` where it is private"),
    ("executable file not found", "check `--image`: it is not what this engine runs in"),
    ("no such host", "check the network and DNS of this machine"),
    ("i/o timeout", "check the network and the proxy of the docker engine"),
)


def mend(complaint: str) -> str:
    """What to do about a complaint of docker's."""
    small = complaint.lower()
    return next((hint for sign, hint in _MENDS if sign in small), _AGAIN)


def failure(what: str, answer: Answer, secret: str = "") -> SkincliError:
    """An error for a call of docker that failed; `secret` is masked in it."""
    complaint = masked(answer.complaint, secret)
    return SkincliError(f"docker could not {what}: {complaint}", mend(complaint))

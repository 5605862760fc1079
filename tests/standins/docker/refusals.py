"""How docker refuses: its own words, and the exit codes that it gives them."""

import sys
import time

_DAEMON = "Error response from daemon: "
_ENGINE = {
    "down": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
        "running?"
    ),
    "denied": (
        "permission denied while trying to connect to the Docker daemon socket at "
        "unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied"
    ),
}
_TOOLKIT = {
    "missing": 'could not select device driver "" with capabilities: [[gpu]]',
    "broken": (
        "failed to create task for container: failed to create shim task: OCI runtime create "
        "failed: runc create failed: unable to start container process: error during container "
        "init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode "
        "as 'legacy'\nnvidia-container-cli: initialization error: load library failed: "
        "libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown"
    ),
}
FULL = "write /var/lib/docker/overlay2/a1b2/merged/etc/hosts: no space left on device"


class Failed(Exception):
    def __init__(self, code, text):
        self.code, self.text = code, text


def refusal(reason, code=1):
    return Failed(code, _DAEMON + reason)


def refused_run(reason):
    pointer = "\n\nRun 'docker run --help' for more information"
    return Failed(125, f"docker: {_DAEMON}{reason}{pointer}")


def require_engine(play):
    if play["engine"] == "hangs":
        time.sleep(120)
    if play["engine"] != "up":
        sys.stdout.write("\n")
        raise Failed(1, _ENGINE[play["engine"]])


def require_gpu(play):
    if play["toolkit"] != "ok":
        raise refused_run(_TOOLKIT[play["toolkit"]])

"""What must outlive a job and a replaced container: a Docker volume, and who is told of it.

A job's checkout is wiped by the next one, so a store, runs or caches inside it would be too.
"""

import hashlib
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from skincli.config.operating import NO_STORE, TrackingConfig
from skincli.config.schema import Config
from skincli.config.secrets import has_credentials, mask
from skincli.config.serving import is_loopback
from skincli.runner.checks import Check

MOUNT: Final = "/skincli"
_LONGEST_HOST: Final = 63  # RFC 1123, for a single label
_SQLITE: Final = "sqlite:///"
_STORE: Final = f"{_SQLITE}{MOUNT}/mlflow.db"


def mounted(volume: str, folders: Sequence[str]) -> list[str]:
    """The options of `docker run` that give a container the volume, and folders to read."""
    read = [word for path in folders for word in ("-v", f"{path}:{path}:ro")]
    return ["-v", f"{volume}:{MOUNT}", *read]


def host_name(container: str) -> str:
    """What a container calls itself: the same in each that takes its place, another elsewhere.

    Run folders know their host by its name, and end what a lost process of it left as RUNNING: in a
    store that several machines share, two of them must not have one name. One that is too long ends
    with a hash of the whole.
    """
    whole = f"{container}-{socket.gethostname()}"
    if len(whole) <= _LONGEST_HOST:
        return whole
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: _LONGEST_HOST - len(mark) - 1].rstrip('-.')}-{mark}"


def variables(config: Config) -> dict[str, str]:
    """The environment that puts a job's store, runs and caches into the volume."""
    return {
        "SKINCLI_VOLUME": MOUNT,
        "SKINCLI__TRACKING__URI": _uri(config.tracking),
        "SKINCLI__RUN__ROOT": f"{MOUNT}/runs",
        "SKINCLI__EVALUATE__ROOT": f"{MOUNT}/evaluations",
        "UV_CACHE_DIR": f"{MOUNT}/uv",
        "UV_PYTHON_INSTALL_DIR": f"{MOUNT}/python",
        "XDG_CACHE_HOME": f"{MOUNT}/cache",
    }


def given(variables: Mapping[str, str]) -> list[str]:
    """The options of `docker run` that put variables into a container's environment."""
    return [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]


def store(config: Config) -> Check:
    """Whether the tracking store of the jobs outlives them, and can be reached from a container."""
    name, uri = "tracking store", _uri(config.tracking)
    mend = f"leave `tracking.uri` unset (`{_STORE}` in the volume), or name a server"
    if has_credentials(uri):
        found = f"`{mask(uri)}` carries credentials, which jobs and `docker inspect` would show"
        mend = "leave them out: a workflow hands MLFLOW_TRACKING_PASSWORD on from its secrets"
        return Check(name, "failure", found, mend)
    if not uri.isprintable():
        return Check(name, "failure", f"{uri!r} is no URI", mend)
    if uri.startswith(_SQLITE) and not _in_volume(uri):
        found = f"`{uri}` is not under {MOUNT}: it would end with its job or its container"
        return Check(name, "failure", found, mend)
    if uri == NO_STORE:
        return Check(name, "warning", "none: jobs train, but promote nothing", mend)
    if uri.startswith("http") and is_loopback(_host(uri)):
        found = f"inside the container `{uri}` is the container itself"
        return Check(name, "warning", found, "name the server by the address that others use")
    where = f"`{config.runner.volume}`, " if uri.startswith(_SQLITE) else ""
    return Check(name, "ok", f"{where}{uri}")


def folders(mounts: Sequence[str]) -> Check:
    """Whether the folders that jobs may read are there: Docker would make empty ones."""
    missing = [path for path in mounts if not Path(path).is_dir()]
    if missing:
        mend = "make them, or take them out of `runner.mounts`"
        return Check("mounts", "failure", f"there is no folder {', '.join(missing)}", mend)
    return Check("mounts", "ok", ", ".join(mounts))


def _uri(tracking: TrackingConfig) -> str:
    """What the config names, unless that is the default: a file in the working folder."""
    return _STORE if tracking.uri == TrackingConfig().uri else tracking.uri


def _in_volume(uri: str) -> bool:
    path = uri.removeprefix(_SQLITE)
    return path.startswith(f"{MOUNT}/") and ".." not in path.split("/")


def _host(uri: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(uri).hostname or ""

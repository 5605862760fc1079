"""The way to the network out of a container: the proxies that this machine is told to use."""

from typing import Final

from skincli.config.serving import is_loopback
from skincli.runner.checks import Check, Environ

# What GitHub's runner, git, curl and uv read.
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_EXCEPTIONS: Final = ("NO_PROXY", "no_proxy")


def handed_on(environ: Environ) -> dict[str, str]:
    """The variables that a container is given too: what it can use, and everybody may see."""
    of_use = [name for name in _PROXIES if environ.get(name) and not _withheld(environ[name])]
    more = [name for name in _EXCEPTIONS if of_use and environ.get(name)]
    return {name: environ[name] for name in (*of_use, *more)}


def check(environ: Environ, engine: str) -> Check | None:
    """What of the proxies does not work in a container; None where this machine has none."""
    names = [name for name in _PROXIES if environ.get(name)]
    if not names:
        return None
    found = [f"{name} {why}" for name in names if (why := _withheld(environ[name]))]
    mend = "`proxies` in ~/.docker/config.json tells each container another" if found else ""
    if engine == "cml":
        found.append("CML fetches GitHub's runner without a proxy")
        mend = "; ".join(filter(None, [mend, "behind one take `--engine actions`"]))
    if not found:
        return Check("proxy", "ok", f"{', '.join(names)}: handed on")
    return Check("proxy", "warning", "; ".join(found), mend)


def _withheld(proxy: str) -> str:
    """Why a container is not told of a proxy; empty where it is."""
    if "@" in proxy:
        return "carries credentials, which jobs and `docker inspect` would show: not handed on"
    host = proxy.rpartition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
    if is_loopback(host or proxy):
        return "is on this machine's own address, which in a container is another: not handed on"
    return ""

"""Which repository the runner registers with."""

import re

from skincli.config.secrets import has_credentials, mask
from skincli.runner.ask import ask
from skincli.runner.checks import Check, Environ

# `git@host:owner/name` and `ssh://git@host[:port]/owner/name`.
_SSH = re.compile(
    r"(?:ssh://[\w.-]+@(?P<host>[\w.-]+)(?::\d+)?/|[\w.-]+@(?P<scp_host>[\w.-]+):)(?P<path>.+)"
)
# GitHub's SSH over the port of https, for networks that let nothing else out.
_SSH_HOSTS = {"ssh.github.com": "github.com"}
_REPOSITORY = re.compile(r"https://[\w.-]+(?::\d+)?/[\w.-]+/[\w.-]+")


def find_repository(configured: str | None, environ: Environ) -> tuple[Check, str | None]:
    """The https address of the repository, from the config or from git's origin, and its check.

    The address is None unless the check is well.
    """
    remote = configured
    if remote is None:
        answer = ask(["git", "remote", "get-url", "origin"], environ)
        if not answer.ok:
            return _unusable(f"git has no origin here ({answer.complaint})"), None
        remote = answer.out.strip()
    url = https_address(remote)
    if has_credentials(url):
        return _unusable(f"`{mask(url)}` carries credentials"), None
    if not _REPOSITORY.fullmatch(url):
        return _unusable(f"`{url}` is not the https address of a repository"), None
    return Check("repository", "ok", url), url


def https_address(remote: str) -> str:
    """The https address of a git remote; ssh forms are rewritten, anything else is kept."""
    match = _SSH.fullmatch(remote)
    if match:
        host = match["host"] or match["scp_host"]
        remote = f"https://{_SSH_HOSTS.get(host, host)}/{match['path']}"
    return remote.removesuffix("/").removesuffix(".git")


def is_same_repository(one: str, other: str) -> bool:
    """Whether two addresses name one repository: to GitHub, case makes no difference."""
    return one.lower() == other.lower()


def _unusable(found: str) -> Check:
    mend = "give it: `runner.repo=https://github.com/OWNER/NAME`, without user or password"
    return Check("repository", "failure", found, mend)

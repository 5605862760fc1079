"""The verb `remote`: where DVC keeps what is pushed. Credentials are never part of it."""

import os
import re
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.config.secrets import has_credentials
from skincli.errors import SkincliError, UsageError
from skincli.versioning.dvc import Dvc
from skincli.versioning.settings import Remote
from skincli.versioning.workspace import Workspace

_NAME: Final = "storage"
_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#\s]*)?")
# An address that nobody answers is otherwise waited for through minutes.
_CONNECT_SECONDS: Final = "10"


def set_remote(config: Config, where: str, endpoint: str | None, region: str | None) -> Remote:
    """Make a folder or a bucket the default remote, in DVC's config, which git is given.

    Raises UsageError for a place that is none, or that carries a password.
    """
    for text in (where, endpoint):
        if has_credentials(text):
            raise UsageError(
                "the address holds a user or password, and would be kept in git",
                "leave it out: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
            )
    workspace = Workspace.of(config)
    options = {"verify": "true"}
    if "://" in where:
        options |= _bucket_options(where, endpoint, region)
    else:
        if endpoint or region:
            raise UsageError("a folder has no endpoint or region", "leave --endpoint, --region out")
        where = _folder(workspace, where)
    workspace.make_ready()
    workspace.dvc.run("remote", "add", "--default", "--force", _NAME, where)
    for key, value in options.items():
        workspace.dvc.run("remote", "modify", _NAME, key, value)
    workspace.repository.stage(workspace.config_files)
    return workspace.settings().require_remote()


def require_verifying(dvc: Dvc, remote: Remote) -> None:
    """See that DVC checks what comes from a remote, which it does not by itself."""
    if not remote.verify:
        dvc.run("remote", "modify", "--local", remote.name, "verify", "true")


def _bucket_options(url: str, endpoint: str | None, region: str | None) -> dict[str, str]:
    if not _BUCKET.fullmatch(url):
        raise UsageError(f"`{url}` is no remote", "give a folder or s3://BUCKET/PREFIX")
    if endpoint is not None and not re.fullmatch(r"https?://[^\s?#]+", endpoint):
        raise UsageError(f"`{endpoint}` is no endpoint", "give an address: https://HOST:PORT")
    given = {"endpointurl": endpoint, "region": region, "connect_timeout": _CONNECT_SECONDS}
    return {key: value for key, value in given.items() if value is not None}


def _folder(workspace: Workspace, where: str) -> str:
    """The folder as DVC is to be told of it: a relative one stays relative to the repository."""
    path = Path(where).expanduser()
    if not where.strip() or workspace.repository.holds(path.resolve()):
        raise UsageError(
            f"`{path}` lies in the repository, which is not to hold a copy of its own data",
            "name a folder outside it, on another disk best of all",
        )
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise SkincliError(
            f"`{path}` cannot be made: {error.strerror}", "see that the disk is there"
        ) from None
    if not os.access(path, os.W_OK):
        raise SkincliError(f"`{path}` cannot be written", "mend its permissions")
    return str(path)

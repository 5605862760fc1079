"""What DVC is set to, read in one call: its default remote, and where its cache lies."""

from dataclasses import dataclass
from pathlib import Path

from skincli.errors import UsageError
from skincli.versioning.dvc import Dvc


@dataclass(frozen=True, slots=True)
class Remote:
    """Where versions are pushed to. `verify` says that what comes from it is checked by its MD5."""

    name: str
    url: str
    endpoint: str | None
    region: str | None
    verify: bool


@dataclass(frozen=True, slots=True)
class DvcSettings:
    """`remote` is None where there is no default one."""

    cache: Path
    remote: Remote | None

    @classmethod
    def of(cls, dvc: Dvc, top: Path) -> "DvcSettings":
        """Those of the repository that DVC has set up at `top`."""
        lines = (line.partition("=") for line in dvc.run("config", "--list").splitlines())
        known = {key: value for key, _, value in lines}
        cache = top / ".dvc" / known.get("cache.dir", "cache")  # as DVC itself reads it
        name = known.get("core.remote", "")
        url = known.get(f"remote.{name}.url")
        if url is None:
            return cls(cache, None)
        remote = Remote(
            name=name,
            url=url,
            endpoint=known.get(f"remote.{name}.endpointurl"),
            region=known.get(f"remote.{name}.region"),
            verify=known.get(f"remote.{name}.verify", "").lower() == "true",
        )
        return cls(cache, remote)

    def require_remote(self) -> Remote:
        """Raises UsageError where there is none."""
        if self.remote is None:
            raise UsageError(
                "no remote is set yet",
                "`skincli data remote FOLDER-OR-s3://BUCKET/PREFIX` sets one",
            )
        return self.remote

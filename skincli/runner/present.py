"""What has a runner's name on this machine already, and whose it is."""

from dataclasses import dataclass

from skincli.config.schema import Config
from skincli.errors import SkincliError, UsageError
from skincli.runner import container
from skincli.runner.access import Access
from skincli.runner.actions.state import Files, Noted
from skincli.runner.checks import Check, Environ
from skincli.runner.container import Container
from skincli.runner.repository import is_same_repository


@dataclass(frozen=True, slots=True)
class Present:
    """The container of a name, and what this user's supervisor of it noted; None for neither."""

    name: str
    container: Container | None
    noted: Noted | None

    @property
    def kept_going(self) -> bool:
        """Whether a supervisor of this user lives, be there a container at this moment or not."""
        return self.noted is not None and self.noted.running

    @property
    def engine(self) -> str:
        """Empty where nothing of skincli's is there."""
        if self.container is not None and self.container.labels.ours:
            return self.container.labels.engine or "cml"
        return "actions" if self.kept_going else ""

    def require_of(self, url: str | None) -> None:
        """Raises UsageError where it is a runner of another repository than `url`."""
        repository = self._repository()
        if url is not None and repository and not is_same_repository(repository, url):
            raise UsageError(
                f"`{self.name}` is a runner of {repository}, not of {url}",
                f"give `runner.repo={repository}`, or choose another `--name`",
            )

    def require_ours(self, url: str | None) -> None:
        """The same, and where this user may not end it: for whatever changes something."""
        if self.container is not None and not self.container.labels.ours:
            raise UsageError(
                f"the container `{self.name}` was not made by skincli", "choose another `--name`"
            )
        self.require_of(url)
        other = self.container.labels.supervisor_process if self.container is not None else ""
        if other and not (self.noted is not None and self.noted.process == other):
            pid = other.partition(":")[0]
            raise UsageError(
                f"another user, or another state folder, keeps `{self.name}` going (pid {pid})",
                f"`--stop` as that one (`ps -p {pid} -o user` tells who), or choose another "
                "`--name`",
            )

    def _repository(self) -> str:
        if self.container is not None and self.container.labels.repository:
            return self.container.labels.repository
        return self.noted.repository if self.noted is not None and self.noted.running else ""


def look(name: str, environ: Environ) -> Present:
    """Raises SkincliError where docker fails."""
    return Present(name, container.find(name, environ), Files(name).read())


def name_free(config: Config, access: Access, replace: bool) -> Check:
    """Whether a runner of this name can start: with `replace`, in the place of one of ours."""
    title, name = "container name", config.runner.name
    try:
        found = look(name, access.environ)
        found.require_ours(access.url)
    except SkincliError as error:
        return Check(title, "failure", error.message, error.hint)
    if found.noted is not None and found.kept_going:
        taken = f"`{name}` is kept going already (pid {found.noted.pid})"
        mend = "`--status` tells of it, `--replace` replaces it"
    elif found.container is not None:
        taken = f"there is a container `{name}` already ({found.container.status})"
        mend = "`--replace` replaces it, `--start` starts it again"
    else:
        return Check(title, "ok", f"`{name}` is free")
    if replace:
        return Check(title, "ok", f"{taken}: it will be replaced")
    if config.runner.engine == found.engine == "actions" and not found.kept_going:
        return Check(title, "ok", f"`{name}` was left behind: it will be taken over")
    return Check(title, "failure", taken, mend)

"""What the runner's verbs work with: programs' environment, the token, the repository, GitHub."""

from dataclasses import dataclass, field

from skincli.config.schema import Config
from skincli.runner.checks import Check, Environ
from skincli.runner.github import GitHub, api_of
from skincli.runner.repository import find_repository
from skincli.runner.token import TOKEN_VARIABLE, token, without_tokens


@dataclass(frozen=True, slots=True)
class Access:
    """`environ` holds no token. `github` is None unless all `checks` are well, as `url` may be."""

    checks: tuple[Check, ...]
    environ: Environ
    token: str = field(repr=False)
    url: str | None
    github: GitHub | None

    @property
    def repository(self) -> tuple[str, GitHub]:
        """The repository's URL and GitHub, for whom the checks were passed."""
        assert self.url is not None, "its check was passed"
        assert self.github is not None, "its check was passed"
        return self.url, self.github

    @property
    def lacks(self) -> str:
        """Why GitHub cannot be asked; empty where it can."""
        return "; ".join(check.found for check in self.checks if not check.ok)


def find_access(config: Config, environ: Environ) -> Access:
    """What can be told without asking GitHub. Raises UsageError for an unusable `runner.api`."""
    runner = config.runner
    bare = without_tokens(environ)
    repository, url = find_repository(runner.repo, bare)
    checks = (token(environ), repository)
    secret = environ.get(TOKEN_VARIABLE, "")
    github = None
    if url is not None and all(check.ok for check in checks):
        github = GitHub(api_of(url, runner.api), url, secret)
    return Access(checks, bare, secret, url, github)

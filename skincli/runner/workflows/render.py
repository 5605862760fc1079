"""Workflows out of their templates, in which names between percent signs are filled in."""

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

# The version that the tests use; an environment of its own keeps it apart from skincli's packages.
DVC: Final = "dvc[s3]==3.67.1"
_PLACEHOLDER: Final = re.compile(r"%([A-Z]+)%")


@dataclass(frozen=True, slots=True)
class Repository:
    """What the workflows of a repository have to know of it.

    `name` is OWNER/NAME, `version` the skincli that they install, None in skincli's own repository,
    where they install what is checked out.
    """

    name: str
    branch: str
    labels: tuple[str, ...]
    version: str | None

    @property
    def install(self) -> str:
        """What `uv pip install` is to be told."""
        if self.version is None:
            return "--constraint constraints.txt ."
        return f"'skincli=={self.version}'"


def render(template: str, repository: Repository) -> str:
    """The text of a workflow, such as `train.yml`."""
    values = {
        "REPOSITORY": repository.name,
        "BRANCH": repository.branch,
        "LABELS": ", ".join(repository.labels),
        "INSTALL": repository.install,
        "DVC": DVC,
    }
    text = files(__package__).joinpath(template).read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)

"""What a GitHub knows: repositories, their runners, and who may do what to them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Token:
    """`rights`: none, read (sees the repository) or admin. `scopes` are those of a classic token,
    None for a fine-grained one. `sso` is the header of an organisation that wants sign-on."""

    rights: str = "admin"
    scopes: str | None = None
    sso: str = ""


@dataclass
class Registered:
    """A runner that GitHub knows. `encoded` is its just-in-time configuration, None once used."""

    id: int
    name: str
    labels: list[str]
    os: str = "linux"
    status: str = "offline"
    busy: bool = False
    ephemeral: bool = False
    encoded: str | None = None

    def as_json(self) -> dict[str, Any]:
        labels = [{"id": n, "name": name, "type": "custom"} for n, name in enumerate(self.labels)]
        shown = {"id": self.id, "name": self.name, "os": self.os, "status": self.status}
        return shown | {"busy": self.busy, "ephemeral": self.ephemeral, "labels": labels}


@dataclass
class Repo:
    private: bool = True
    runners: dict[int, Registered] = field(default_factory=dict)

    def named(self, name: str) -> Registered | None:
        return next((each for each in self.runners.values() if each.name == name), None)

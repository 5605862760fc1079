"""A registry of npm with one package in it: the one in a folder."""

import io
import json
import tarfile
from pathlib import Path

from standins.server import Asked, Handler, StandIn


class NpmStandIn(StandIn):
    """https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md"""

    def __init__(self, package: Path, version: str) -> None:
        super().__init__()
        self.package, self.version = package, version

    def answer(self, asked: Asked, handler: Handler) -> None:
        name = self.package.name
        if asked.path == f"/{name}":
            body = json.dumps(self._described()).encode()
            handler.reply(200, body, "application/json")
        elif asked.path == f"/{name}.tgz":
            handler.reply(200, self._packed(), "application/octet-stream")
        else:
            handler.reply(404, b"{}", "application/json")

    def _described(self) -> dict[str, object]:
        about = json.loads((self.package / "package.json").read_text())
        assert about["version"] == self.version
        address = f"{self.url}/{self.package.name}.tgz"
        version = {**about, "dist": {"tarball": address}}
        return {
            "name": self.package.name,
            "dist-tags": {"latest": self.version},
            "versions": {self.version: version},
        }

    def _packed(self) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(self.package, "package")
        return packed.getvalue()

"""Zenodo: records with the size and MD5 of their files, whose bytes it sends itself."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from standins.sending import answer_fault, send_file
from standins.server import Asked, Handler, StandIn

_CONTENT = re.compile(r"/(?:api/)?records/(\d+)/files/([^/]+)(?:/content)?")


class Zenodo(StandIn):
    """Records by number, each a folder. Faults go by file name, and by `list`."""

    def __init__(self, records: dict[int, Path]) -> None:
        super().__init__()
        self.records = records

    def answer(self, asked: Asked, handler: Handler) -> None:
        content = _CONTENT.fullmatch(asked.path)
        listing = re.fullmatch(r"/api/records/(\d+)", asked.path)
        number = int((content or listing or [0, 0])[1])
        folder = self.records.get(number, Path("/nowhere"))
        if content and (folder / content[2]).is_file():
            send_file(self, handler, content[2], folder / content[2])
        elif listing and folder.is_dir():
            self._send_list(number, folder, handler)
        else:
            handler.reply(404, b'{"status": 404}', "application/json")

    def _send_list(self, number: int, folder: Path, handler: Handler) -> None:
        fault = self.next_fault("list")
        if fault is None or not answer_fault(handler, fault):
            files = [self._described(number, path) for path in sorted(folder.iterdir())]
            body = json.dumps({"id": number, "files": files}).encode()
            handler.reply(200, body, "application/json")

    def _described(self, number: int, path: Path) -> dict[str, Any]:
        data = path.read_bytes()
        return {
            "key": path.name,
            "size": len(data),
            "checksum": f"md5:{hashlib.md5(data).hexdigest()}",
            "links": {"self": f"{self.url}/api/records/{number}/files/{path.name}/content"},
        }

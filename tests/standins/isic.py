"""The ISIC Archive's API, version 2: a search in pages by cursor, images in a signed store."""

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from standins.sending import answer_fault
from standins.server import Asked, Handler, StandIn
from standins.storage import Storage


@dataclass
class Lesion:
    """An image of the archive, by its file."""

    isic_id: str
    file: Path
    clinical: dict[str, Any]
    licence: str = "CC-0"
    attribution: str = "Anonymous"
    collections: set[int] = field(default_factory=set)


class Isic(StandIn):
    """The API. Its faults go by `list` and by id; those of the bytes are `storage`'s, by file."""

    def __init__(self, lesions: list[Lesion], seconds: float = 60.0) -> None:
        super().__init__()
        self.lesions = lesions
        self.storage = Storage(seconds)
        self.largest_page = 100
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self.storage)
        for lesion in self.lesions:
            self.storage.files[lesion.file.name] = lesion.file
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._open.close()

    def answer(self, asked: Asked, handler: Handler) -> None:
        one = re.fullmatch(r"/api/v2/images/(ISIC_\d+)/", asked.path)
        fault = self.next_fault(one[1] if one else "list")
        if fault is not None and answer_fault(handler, fault):
            return
        if asked.path == "/api/v2/images/search/":
            self._send_page(asked, handler)
            return
        found = [each for each in self.lesions if one and each.isic_id == one[1]]
        if found:
            handler.reply(200, json.dumps(self._described(found[0])).encode(), "application/json")
        else:
            handler.reply(404, b'{"detail": "Not Found"}', "application/json")

    def _send_page(self, asked: Asked, handler: Handler) -> None:
        query = asked.query
        if "(" in query.get("query", ""):
            handler.reply(400, b'{"message": "Could not parse the search"}', "application/json")
            return
        wanted = {int(number) for number in query.get("collections", "").split(",") if number}
        found = [each for each in self.lesions if not wanted or wanted & each.collections]
        start = int(query.get("cursor", "0"))
        stop = start + min(int(query.get("limit", "100")), self.largest_page)
        rest = urlencode(query | {"cursor": stop})
        content = {
            "count": len(found),
            "next": f"{self.url}{asked.path}?{rest}" if stop < len(found) else None,
            "previous": None,
            "results": [self._described(each) for each in found[start:stop]],
        }
        handler.reply(200, json.dumps(content).encode(), "application/json")

    def _described(self, lesion: Lesion) -> dict[str, Any]:
        full = {"url": self.storage.signed(lesion.file.name), "size": lesion.file.stat().st_size}
        return {
            "isic_id": lesion.isic_id,
            "copyright_license": lesion.licence,
            "attribution": lesion.attribution,
            "files": {"full": full, "thumbnail_256": full},
            "metadata": {
                "acquisition": {"image_type": "dermoscopic"},
                "clinical": lesion.clinical,
            },
            "public": True,
        }

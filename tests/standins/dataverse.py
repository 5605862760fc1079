"""Harvard Dataverse, as far as one dataset and its files go.

HAM10000's ids; a list with sizes and MD5 in which a tabular file has the size of its conversion;
a redirect to a store on another port for every file; 403 for the names of HTTP libraries.
"""

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from standins.sending import answer_fault
from standins.server import Asked, Handler, StandIn
from standins.storage import Storage

DOI = "doi:10.7910/DVN/DBW86T"
IDS = {
    "HAM10000_images_part_1.zip": 3172585,
    "HAM10000_images_part_2.zip": 3172584,
    "HAM10000_metadata.csv": 4338392,
    "HAM10000_segmentations_lesion_tschandl.zip": 3838943,
    "ISIC2018_Task3_Test_Images.zip": 3855824,
    "ISIC2018_Task3_Test_GroundTruth.csv": 6924466,
}
_NAMES = {str(number): name for name, number in IDS.items()}
_LIBRARIES = ("python-requests", "python-urllib", "python-httpx", "curl")
_LIST = "list"


class Dataverse(StandIn):
    """The API. Its faults go by file name, and by `list`; those of the bytes are `storage`'s.

    `restricted` files ask for the header X-Dataverse-key with `key`. Not every installation
    `gives_md5`.
    """

    def __init__(self, folder: Path, seconds: float = 60.0) -> None:
        super().__init__()
        self.folder = folder
        self.storage = Storage(seconds)
        self.unlisted: set[str] = set()
        self.restricted: set[str] = set()
        self.key = ""
        self.gives_md5 = True
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self.storage)
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
        agent = asked.headers.get("user-agent", "").lower()
        if not agent or agent.startswith(_LIBRARIES):
            handler.reply(403, b"blocked")
        elif asked.path == "/api/datasets/:persistentId/":
            self._send_list(asked, handler)
        elif asked.path.startswith("/api/access/datafile/"):
            self._redirect(asked, handler)
        else:
            handler.reply(404)

    def _send_list(self, asked: Asked, handler: Handler) -> None:
        fault = self.next_fault(_LIST)
        if fault is not None and answer_fault(handler, fault):
            return
        if asked.query.get("persistentId") != DOI:
            handler.reply(404)
            return
        names = [name for name in IDS if (self.folder / name).is_file()]
        files = [self._described(name) for name in names if name not in self.unlisted]
        content = {"status": "OK", "data": {"id": 1, "latestVersion": {"files": files}}}
        handler.reply(200, json.dumps(content).encode(), "application/json")

    def _described(self, name: str) -> dict[str, Any]:
        data = (self.folder / name).read_bytes()
        md5 = hashlib.md5(data).hexdigest()
        facts: dict[str, Any] = {"id": IDS[name]}
        if self.gives_md5:
            facts |= {"md5": md5, "checksum": {"type": "MD5", "value": md5}}
        else:
            facts |= {"checksum": {"type": "SHA-1", "value": hashlib.sha1(data).hexdigest()}}
        if not name.endswith(".csv"):
            facts |= {"filename": name, "contentType": "application/zip", "filesize": len(data)}
            return {"label": name, "restricted": name in self.restricted, "dataFile": facts}
        label = f"{Path(name).stem}.tab"
        facts |= {
            "filename": label,
            "contentType": "text/tab-separated-values",
            "filesize": len(_converted(data)),
            "originalFileFormat": "text/csv",
            "originalFileName": name,
        }
        return {"label": label, "restricted": False, "dataFile": facts}

    def _redirect(self, asked: Asked, handler: Handler) -> None:
        name = _NAMES.get(asked.path.rpartition("/")[2], "")
        asked.name = name
        original = asked.query.get("format") == "original"
        fault = None if asked.range == "bytes=0-0" else self.next_fault(name)
        if fault is not None and answer_fault(handler, fault):
            return
        if not (self.folder / name).is_file() or (original and not name.endswith(".csv")):
            handler.reply(404, b'{"status":"ERROR"}', "application/json")
        elif name in self.restricted and asked.headers.get("x-dataverse-key") != self.key:
            handler.reply(403, b'{"status":"ERROR"}', "application/json")
        else:
            handler.reply(303, Location=self.storage.signed(self._stored(name, original)))

    def _stored(self, name: str, original: bool) -> str:
        """Put the bytes that were asked for where the store finds them."""
        path = self.folder / name
        if name.endswith(".csv") and not original:
            converted = path.with_suffix(".tab")
            converted.write_bytes(_converted(path.read_bytes()))
            path = converted
        self.storage.files[path.name] = path
        return path.name


def _converted(data: bytes) -> bytes:
    """A CSV as Dataverse keeps it: tab-separated, text in quotes."""
    return b"\n".join(b'"' + line.replace(b",", b'"\t"') + b'"' for line in data.splitlines())

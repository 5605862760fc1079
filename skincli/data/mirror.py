"""Where the published files can be had: a local folder or a web address, read as chunks."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx

from skincli.config.secrets import mask
from skincli.errors import DataError, SkincliError

CHUNK: Final = 1 << 20
# Seconds to connect, and without a single byte, before a download counts as stalled.
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_GO_ON: Final = "run the same command again: it goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being read: its `chunks` begin at byte `start`.

    `version` names the state of the remote file, empty where the mirror gives none.
    """

    start: int
    version: str
    chunks: Iterator[bytes]


class Mirror(Protocol):
    """A place that holds files by name."""

    def size(self, name: str) -> int | None:
        """The bytes of a file, None where the mirror does not say. Raises DataError if absent."""
        ...

    def text(self, name: str) -> str | None:
        """A small text file, None where there is none."""
        ...

    def open(self, name: str, start: int, version: str) -> AbstractContextManager[Opened]:
        """Read from byte `start` if the file is still at `version`, else from its beginning."""
        ...


class FolderMirror:
    """A local folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"data.mirror: there is no folder `{folder}`")
        self._folder = folder

    def size(self, name: str) -> int | None:
        path = self._folder / name
        if not path.is_file():
            raise DataError(f"data.mirror: `{self._folder}` holds no {name}")
        return path.stat().st_size

    def text(self, name: str) -> str | None:
        path = self._folder / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    @contextmanager
    def open(self, name: str, start: int, version: str) -> Iterator[Opened]:
        with (self._folder / name).open("rb") as stream:
            yield Opened(0, "", iter(lambda: stream.read(CHUNK), b""))


class WebMirror:
    """An http(s) address under which the files lie."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url.rstrip("/")
        self._client = client

    def size(self, name: str) -> int | None:
        with self._errors(name):
            response = self._client.head(f"{self._url}/{name}")
        if response.status_code in (httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED):
            return None
        self._require_success(response, name)
        length = response.headers.get("content-length")
        return int(length) if length else None

    def text(self, name: str) -> str | None:
        with self._errors(name):
            response = self._client.get(f"{self._url}/{name}")
        if not response.is_client_error:
            self._require_success(response, name)
        return response.text if response.is_success else None

    @contextmanager
    def open(self, name: str, start: int, version: str) -> Iterator[Opened]:
        headers = {"Accept-Encoding": "identity"}
        if start and version:
            headers |= {"Range": f"bytes={start}-", "If-Range": version}
        url = f"{self._url}/{name}"
        with self._errors(name), self._client.stream("GET", url, headers=headers) as response:
            self._require_success(response, name)
            given = response.headers.get("content-range", "")
            resumed = given.startswith(f"bytes {start}-")
            yield Opened(start if resumed else 0, _version(response), response.iter_bytes())

    def _require_success(self, response: httpx.Response, name: str) -> None:
        if not response.is_success:
            raise DataError(
                f"{mask(self._url)} answers {response.status_code} for {name}",
                "check data.mirror: it must hold the published archives and the CSV",
            )

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise SkincliError(f"the download of {name} stalled", _GO_ON) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise SkincliError(f"{name} cannot be downloaded: {reason}", _GO_ON) from None


@contextmanager
def open_mirror(address: str) -> Iterator[Mirror]:
    """The mirror at a URL or in a folder. Raises DataError when there is none."""
    if not address.startswith(("http://", "https://")):
        yield FolderMirror(Path(address))
        return
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
        yield WebMirror(address, client)


def _version(response: httpx.Response) -> str:
    """A validator that If-Range accepts: a strong ETag, else the modification date (RFC 9110)."""
    tag = str(response.headers.get("etag", ""))
    if tag and not tag.startswith("W/"):
        return tag
    return str(response.headers.get("last-modified", ""))

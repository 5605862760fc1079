"""One file from a server into a folder: resumed, checked, and only then given its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from skincli.data.download.answers import (
    Transient,
    Version,
    first_byte,
    require_file,
    unsatisfied_total,
)
from skincli.data.download.partial import Partial
from skincli.data.download.web import Stopped, Web
from skincli.errors import DataError
from skincli.progress import Step

_TRIES_TO_VERIFY: Final = 2


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download, with its size and MD5 where the publisher gives them."""

    name: str
    url: str
    bytes: int | None = None
    md5: str | None = None


def receive(web: Web, file: RemoteFile, folder: Path, step: Step) -> None:
    """Bring a file into `folder`, going on with what is there of it.

    Raises DataError when it is absent, refused, or twice not what it should be; SkincliError when
    attempts without progress run out; Stopped when another thread ended the work.
    """
    partial = Partial(folder, file.name)
    transfer = _Transfer(web, file, partial, step)
    for _ in range(_TRIES_TO_VERIFY):
        transfer.complete()
        fault = partial.fault(file.bytes, file.md5)
        if not fault:
            partial.finish()
            return
        partial.discard()
    server = httpx.URL(file.url).netloc.decode("ascii")
    raise DataError(
        f"{file.name} from {server} {fault}",
        "fetch again later, or from elsewhere with data.mirror=URL-or-folder",
    )


class _Transfer:
    """The attempts to get all bytes of a file. The step shows what is there, also when it shrinks.

    The same address is asked every time, never the storage it redirects to: that one's expires.
    """

    def __init__(self, web: Web, file: RemoteFile, partial: Partial, step: Step) -> None:
        self._web = web
        self._file = file
        self._partial = partial
        self._step = step
        self._shown = 0

    def complete(self) -> None:
        """Attempt until all bytes are there. Only attempts in a row that bring none are counted."""
        failures, reached = 0, self._partial.size
        self._show()
        while not self._is_complete():
            try:
                self._attempt()
                return
            except Transient as error:
                failures = 0 if self._partial.size > reached else failures + 1
                reached = max(reached, self._partial.size)
                if failures >= self._web.settings.attempts:
                    raise error.as_error(self._file.name) from None
                self._show(retrying=f"after: {error}")
                self._web.pause(failures, error.asked)

    def _is_complete(self) -> bool:
        version = self._partial.version
        return version is not None and self._partial.size == version.total

    def _attempt(self) -> None:
        start = self._resumed_from()
        with self._web.stream(self._file.url, start) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if start is not None and unsatisfied_total(response) == start:
                    return
                raise self._start_over("the server knows no such range of bytes")
            require_file(response, self._file.name)
            self._place(response)
            self._append(response)
        version = self._partial.version
        total = (version.total if version else None) or self._file.bytes
        if total is not None and self._partial.size < total:
            raise Transient("the connection broke off")

    def _resumed_from(self) -> int | None:
        """Where to go on: only where the MD5 or the server's marks would tell another file."""
        version = self._partial.version
        if version is None or not (self._file.md5 or version.is_marked):
            return None
        return self._partial.size or None

    def _place(self, response: httpx.Response) -> None:
        """Make the partial file end where the answer begins."""
        version, first = Version.of(response), first_byte(response)
        if first == 0:
            self._partial.begin(version)
        elif first != self._partial.size:
            raise self._start_over("the server sends other bytes than it was asked for")
        elif self._partial.version is None or not version.is_same(self._partial.version):
            raise self._start_over("the file changed between two attempts")
        self._show(retrying="")

    def _append(self, response: httpx.Response) -> None:
        with self._partial.appending():
            for chunk in response.iter_raw():
                if self._web.stop.is_set():
                    raise Stopped
                self._partial.append(chunk)
                self._show()

    def _start_over(self, reason: str) -> Transient:
        self._partial.discard()
        return Transient(reason)

    def _show(self, **facts: str) -> None:
        self._step.advance(self._partial.size - self._shown, **facts)
        self._shown = self._partial.size

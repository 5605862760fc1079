"""A question to the server, put again until it is answered or there is no hope."""

import time
from threading import Event
from typing import Any, Final

import httpx

from skincli import patience
from skincli.errors import SkincliError
from skincli.prediction.remote.sending import ImageRefused, Transient, send
from skincli.progress import Step

# How long no answer may come: from a server that was never there, that restarts, that limits us.
_FIRST_SECONDS: Final = 5.0
_AWAY_SECONDS: Final = 60.0
_LIMITED_SECONDS: Final = 600.0
_TRIES: Final = 5


class Halted(Exception):
    """The work is over for a reason that another thread knows."""


class Asker:
    """A client of the server, for several threads; `stop` is set when their work is over.

    Putting a question again is safe: it changes nothing at the server but its journal. One image is
    given up when it alone fails, all of them when nothing is answered.
    """

    def __init__(self, client: httpx.Client, stop: Event, step: Step) -> None:
        self._client = client
        self._stop = stop
        self._step = step
        self._answered = self._heard = time.monotonic()
        self._known = False

    def get(self, path: str) -> bytes:
        """Raises SkincliError where the server does not answer, or refuses."""
        return self._persist("GET", path)

    def post(self, path: str, image: bytes) -> bytes:
        """Ask about an image, under no name. Raises ImageRefused, Halted and SkincliError."""
        return self._persist("POST", path, files={"images": ("image", image)})

    def _persist(self, method: str, path: str, **content: Any) -> bytes:
        failures = tries = 0
        while True:
            try:
                body = send(self._client, method, path, **content)
            except ImageRefused:
                self._note_answer(failures)
                raise
            except Transient as failure:
                failures, tries = failures + 1, tries + (not failure.busy)
                if tries >= _TRIES and method == "POST" and self._lives():
                    raise ImageRefused(f"{failure}, {tries} times") from None
                self._require_hope(failure)
                self._wait(failures, failure)
            else:
                self._note_answer(failures)
                return body

    def _lives(self) -> bool:
        """Whether the server answers at all, so that it is the image which it cannot bear."""
        try:
            send(self._client, "GET", "healthz")
        except Transient:
            return False
        self._heard = time.monotonic()
        return True

    def _note_answer(self, failures: int) -> None:
        self._answered = self._heard = time.monotonic()
        self._known = True
        if failures:
            self._step.advance(0, server="")

    def _wait(self, failures: int, failure: Transient) -> None:
        self._step.advance(0, server=str(failure))
        if self._stop.wait(patience.PATIENCE.seconds(failures, failure.asked)):
            raise Halted

    def _require_hope(self, failure: Transient) -> None:
        now = time.monotonic()
        if failure.limited:
            self._heard = now
            lost = now - self._answered > _LIMITED_SECONDS
        else:
            lost = now - self._heard > (_AWAY_SECONDS if self._known else _FIRST_SECONDS)
        if lost and (failure.busy or not self._lives()):
            server = self._client.base_url.netloc.decode("ascii")
            raise SkincliError(
                f"{server} does not answer: {failure}",
                "look at the server, then run the same command again",
            )

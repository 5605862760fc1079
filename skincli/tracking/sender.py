"""The thread that brings a run's spool to the store while it trains, and never gets in its way."""

import threading
from typing import Final

from skincli.config.operating import TrackingConfig
from skincli.errors import SkincliError
from skincli.progress import Progress
from skincli.tracking.delivery import Delivery
from skincli.tracking.run_folder import RunFolder

_LONGEST_PAUSE: Final = 30.0
# How long the end of a run waits for the store, which does not answer at present.
_SECONDS_WHILE_AWAY: Final = 5.0


class Sender:
    """Sends what the spool gains. An outage is said once, and so is its end."""

    def __init__(self, config: TrackingConfig, folder: RunFolder, progress: Progress) -> None:
        self._delivery = Delivery(config, folder)
        self._folder = folder
        self._progress = progress
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._left_alone = False
        self._failures = 0
        self.trouble = ""
        # A daemon: a call that hangs must not hold the process back from its end.
        self._thread = threading.Thread(target=self._run, name="skincli-sender", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    def close(self, seconds: float) -> bool:
        """Send the rest, in `seconds` at the most. Returns whether everything was sent."""
        self._closing.set()
        self._wake.set()
        try:
            self._thread.join(min(seconds, _SECONDS_WHILE_AWAY) if self._failures else seconds)
        finally:
            self._left_alone = self._thread.is_alive()
        if self._left_alone:
            self.trouble = self.trouble or "the tracking store takes too long"
        return not self.trouble

    def _run(self) -> None:
        try:
            closing = False
            while not closing:
                if self._failures:
                    self._closing.wait(min(_LONGEST_PAUSE, 2.0 ** (self._failures - 1)))
                else:
                    self._wake.wait()
                closing = self._closing.is_set()
                self._wake.clear()
                self._try()
        finally:
            self._delivery.close()

    def _try(self) -> None:
        try:
            self._delivery.send(lambda: not self._left_alone)
        except SkincliError as error:
            self._failed(error.message)
        except Exception as error:  # whatever it is, training has nothing to do with it
            self._failed(f"sending to the tracking store failed: {error!r}")
        else:
            self._worked()

    def _failed(self, trouble: str) -> None:
        self.trouble = trouble
        self._failures += 1
        if self._failures == 1 and not self._closing.is_set():
            self._progress.warn(
                f"{trouble}; training goes on, `{self._folder.path}` keeps everything until the "
                "store answers"
            )

    def _worked(self) -> None:
        if self._failures and not self._closing.is_set():
            self._progress.note("The tracking store answers again and has got everything so far")
        self._failures, self.trouble = 0, ""
        for reason in self._delivery.refused:
            self._progress.warn(f"the tracking store does not take this: {reason}")
        self._delivery.refused.clear()

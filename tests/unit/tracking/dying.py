"""A deliverer that dies at a chosen call of the store, as a kill of the process ends it."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from skincli.config.operating import TrackingConfig
from skincli.tracking import delivery
from skincli.tracking.delivery import Delivery
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.store import connect

_CHANGES = ("create_", "log_", "set_", "update_", "finalize_")
Moment = Literal["before", "after"]


class Killed(BaseException):
    pass


class Dying:
    """A client of which the call number `at` that changes something is the last.

    `calls` are the names of the calls that were answered.
    """

    def __init__(self, client: Any, at: int, moment: Moment) -> None:
        self._client, self._at, self._moment = client, at, moment
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        return self._counted(name, attribute) if name.startswith(_CHANGES) else attribute

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            last = len(self.calls) + 1 == self._at
            if last and self._moment == "before":
                raise Killed
            answer = call(*arguments, **named)
            self.calls.append(name)
            if last:
                raise Killed
            return answer

        return counted


def deliver(
    config: TrackingConfig, folder: RunFolder, at: int = 0, moment: Moment = "after"
) -> tuple[Delivery, list[str]]:
    """Send what is due, in a process of its own as it were; with `at`, no further than there."""
    clients: list[Dying] = []

    def dying(config: TrackingConfig) -> Dying:
        clients.append(Dying(connect(config), at, moment))
        return clients[-1]

    sending = Delivery(config, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "connect", dying)
        try:
            sending.send(lambda: True)
        except Killed:
            assert at
        finally:
            sending.close()
    return sending, [name for client in clients for name in client.calls]

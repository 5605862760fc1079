"""The errors that a user can cause, and the exit code that each one carries.

::

    SkincliError          1  the work failed
    ├── Stopped           1  work that its caller ended early: a pruned trial of a search
    ├── UsageError        2  wrong arguments or input
    │   ├── ConfigError   2  an unknown key, a wrong type, a value out of range
    │   ├── DataError     2  metadata or images that cannot be used
    │   │   └── ImageError   one image that cannot be used (carries a `reason` code)
    │   └── ModelError    2  a model that cannot be found, verified or used
    └── GateError         3  a gate was not met: nothing was changed
    Interrupted         130  Ctrl-C (SIGTERM 143, SIGHUP 129); no Exception: no handler swallows it

Each holds one line in plain words (`message`) and what to do next (`hint`).
"""

from typing import Literal

ImageFault = Literal[
    "empty", "too_many_bytes", "not_an_image", "unsupported_format", "too_many_pixels", "damaged"
]


class SkincliError(Exception):
    """Work that failed for a reason the user can understand and mend."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Stopped(SkincliError):
    pass


class UsageError(SkincliError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class DataError(UsageError):
    pass


class ImageError(DataError):
    def __init__(self, message: str, reason: ImageFault) -> None:
        super().__init__(message)
        self.reason: ImageFault = reason


class ModelError(UsageError):
    pass


class GateError(SkincliError):
    exit_code = 3


class Interrupted(BaseException):
    """Raised by the signal handlers: the work stops and cleans up after itself."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number

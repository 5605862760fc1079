"""How long to wait before another attempt, and what a server says of it."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: the first wait, which doubles up to `longest`, and the longest a server may ask."""

    first: float = 1.0
    longest: float = 60.0
    longest_asked: float = 300.0

    def seconds(self, failures: int, asked: float = 0.0) -> float:
        """The wait after so many failures in a row, never less than what the server asks for.

        Up to a half is taken off the own wait by chance, up to a tenth put on the server's, so that
        many clients do not come back together.
        """
        doubled = self.first * 2.0 ** min(max(failures - 1, 0), 30)
        own = min(doubled, self.longest) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        return max(own, min(asked, self.longest_asked) * random.uniform(1.0, 1.1))  # noqa: S311


PATIENCE: Final = Patience()


def seconds_asked(retry_after: str) -> float:
    """The seconds that a Retry-After header asks for: a number or an HTTP date (RFC 9110 10.2.3).

    0 where there is none that can be read.
    """
    text = retry_after.strip()
    if text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)

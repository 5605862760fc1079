"""What every request needs: the client, its patience, and httpx's errors turned into ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import httpx

from skincli import patience
from skincli.config.data import DownloadConfig
from skincli.config.secrets import mask
from skincli.data.download.answers import Transient
from skincli.data.download.client import open_client
from skincli.errors import DataError


class Stopped(Exception):
    """The work is over for a reason that another thread knows."""


@dataclass(frozen=True, slots=True)
class Web:
    """A client and how it is used; `stop` is set when its work is over."""

    client: httpx.Client
    settings: DownloadConfig
    patience: patience.Patience
    stop: Event

    def pause(self, failures: int, asked: float) -> None:
        """Wait before another attempt. Raises Stopped when the work is over."""
        if self.stop.wait(self.patience.seconds(failures, asked)):
            raise Stopped

    @contextmanager
    def stream(
        self, url: str, first: int | None = None, last: str = ""
    ) -> Iterator[httpx.Response]:
        """The answer to a GET, its body read as it comes: all of it, or from byte `first` on.

        Raises Transient for all that another attempt may not meet, DataError for the rest.
        """
        headers = {} if first is None else {"Range": f"bytes={first}-{last}"}
        with self._told(url), self.client.stream("GET", url, headers=headers) as response:
            yield response

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            server = error.request.url.netloc.decode("ascii")
            reason = mask(str(error)) or "no connection"
            raise Transient(f"{server} cannot be reached: {reason}", unreachable=True) from None
        except httpx.TimeoutException:
            raise Transient(f"no byte for {self.settings.stall_seconds:g} s") from None
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            raise Transient("the connection broke off") from None
        except httpx.TransportError as error:
            raise Transient(mask(str(error)) or type(error).__name__) from None
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise DataError(f"`{mask(url)}` cannot be asked: {mask(str(error))}") from None


@contextmanager
def open_web(settings: DownloadConfig) -> Iterator[Web]:
    with open_client(settings) as client:
        yield Web(client, settings, patience.PATIENCE, Event())

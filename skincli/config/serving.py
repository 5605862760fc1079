"""The settings of `skincli serve`."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Literal

from skincli.config.fields import opt, require

KeysRequired = Literal["auto", "always", "never"]
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def is_loopback(host: str) -> bool:
    """Whether an address or a name, without brackets, is of this computer alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(kw_only=True, slots=True)
class JournalConfig:
    uri: str = opt("sqlite:///journal.db", "where predictions are written: a database URI, or none")
    keep_days: int = opt(365, "days after which a prediction is deleted")
    keep_images: bool = opt(False, "keep the images too, which show people's skin")

    def __post_init__(self) -> None:
        require(1 <= self.keep_days <= 36_500, "serve.journal.keep_days", "between 1 and 36500")


@dataclass(kw_only=True, slots=True)
class LimitsConfig:
    images: int = opt(32, "images in one request at the most")
    body_megabytes: float = opt(64.0, "size of one request at the most")
    requests: int = opt(64, "requests under way at once in a process; more are answered 503")
    waiting: int = opt(128, "images waiting for a thread of a process; more are answered 503")
    deadline_seconds: float = opt(30.0, "images that wait longer are answered 503, not looked at")
    receive_seconds: float = opt(30.0, "time in which a request must have arrived")
    per_minute: int = opt(0, "images per minute and client, by key or address; 0: no limit")

    def __post_init__(self) -> None:
        for name in ("images", "requests", "waiting"):
            require(getattr(self, name) >= 1, f"serve.limits.{name}", "at least 1")
        for name in ("body_megabytes", "deadline_seconds", "receive_seconds"):
            require(getattr(self, name) > 0, f"serve.limits.{name}", "above 0")
        require(self.per_minute >= 0, "serve.limits.per_minute", "0 or more")
        require(self.waiting >= self.images, "serve.limits.waiting", "at least serve.limits.images")


@dataclass(kw_only=True, slots=True)
class KeysConfig:
    file: str = opt("keys.json", "API keys, as hashes: `skincli keys create` adds one")
    required: KeysRequired = opt("auto", "ask for a key; auto: where serve.host is not loopback")


@dataclass(kw_only=True, slots=True)
class ServeConfig:
    host: str = opt("127.0.0.1", "address to listen on")
    port: int = opt(8000, "port to listen on")
    model: str | None = opt(None, "model to serve; default: the alias in the registry")
    poll_seconds: float = opt(10.0, "how often the registry is asked whether the alias has moved")
    workers: int = opt(1, "processes that answer; more than one pays with many cores only")
    threads: int = opt(0, "images decoded and scored at once, a core each; 0: one per core")
    max_batch: int = opt(1, "images that the network sees at once; more than 1 pays on a GPU only")
    batch_window_ms: float = opt(0.0, "how long an image waits for others to fill a batch")
    grace_seconds: float = opt(30.0, "time for requests under way once told to stop")
    allowed_hosts: list[str] = field(
        default_factory=list,
        metadata={"help": "names that clients call the server by; default: on loopback its own"},
    )
    cors_origins: list[str] = field(
        default_factory=list,
        metadata={"help": "other web sites whose pages may ask: https://HOST"},
    )
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    keys: KeysConfig = field(default_factory=KeysConfig)
    journal: JournalConfig = field(default_factory=JournalConfig)

    @property
    def asks_for_keys(self) -> bool:
        if self.keys.required == "auto":
            return not is_loopback(self.host)
        return self.keys.required == "always"

    def __post_init__(self) -> None:
        require(0 < self.port < 65536, "serve.port", "between 1 and 65535")
        require(self.threads >= 0, "serve.threads", "0 or more")
        for name in ("workers", "max_batch"):
            require(getattr(self, name) >= 1, f"serve.{name}", "at least 1")
        for name in ("poll_seconds", "grace_seconds"):
            require(getattr(self, name) > 0, f"serve.{name}", "above 0")
        require(self.batch_window_ms >= 0, "serve.batch_window_ms", "0 or more")
        named = all(host and not set(host) & set("/,* ") for host in self.allowed_hosts)
        require(named, "serve.allowed_hosts", "plain names, such as skin.example.org")
        pages = all(re.fullmatch(r"https?://[^/*, ]+", page) for page in self.cors_origins)
        require(pages, "serve.cors_origins", "addresses without a path: https://HOST")

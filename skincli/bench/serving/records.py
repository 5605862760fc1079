"""What `bench serve` hands out: every round of every server, and what it has to reach."""

from dataclasses import dataclass
from typing import Final, Literal

from skincli.config.data import Crop

Arrivals = Literal["closed", "open"]
Engine = Literal["onnx", "torch"]
UNTRAINED: Final = "untrained"
"""The name of a run that never was: a bundle of random weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server did under one load, in one round.

    `closed`: `concurrency` clients each wait for their answer before they ask again. `open`:
    requests arrive at random, `offered_per_second` on average, and latency is counted from when a
    request was due, not from when a connection was free. Latencies are those of answered requests,
    None where there is none; the processor's time, of all processes of the server and of the load
    generator, is per answered request. `beyond_p50_ms` is the median of latency less the time that
    the answer itself gives for decoding and the network, None where answers do not.
    """

    arrivals: Arrivals
    concurrency: int
    offered_per_second: float | None
    answered: int
    errors: int
    requests_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    beyond_p50_ms: float | None
    server_cpu_ms: float | None
    client_cpu_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One round of one server: started, asked, stopped.

    `ready_seconds` is from the start of its process to its first prediction. Memory is that after
    the loads: `resident_megabytes` is the sum over its processes with shared pages shared out
    (PSS), `process_megabytes` the resident sets (RSS) of its processes, the largest first.
    """

    server: str
    round: int
    ready_seconds: float
    loads: tuple[Load, ...]
    resident_megabytes: float
    process_megabytes: tuple[float, ...]
    torch_loaded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The bare loop in one round: decoding, resizing and the network, nothing else.

    Milliseconds are per image: the processor's, and the median on the clock.
    """

    round: int
    processes: int
    images_per_second: float
    cpu_ms: float
    p50_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Who was measured: its framework's version, what runs the network, how an image is sent."""

    name: str
    framework: str
    version: str
    engine: Engine
    sent_as: str


@dataclass(frozen=True, slots=True)
class Check:
    """A figure beside what it has to be; `met` is None where a peer that it needs was left out."""

    name: str
    value: float | None
    relation: Literal["at most", "at least"]
    target: float
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeBench:
    """The service, its peers and the limit, round by round, on `cores` cores.

    `synthetic` tells that the images are drawn, `untrained` that the weights are random: the speed
    depends on neither. `left_out` names the peers that have no environment, and those that would
    run torch where torchvision does not have the network.
    """

    cores: int
    backbone: str
    image_size: int
    crop: Crop
    digest: str
    untrained: bool
    synthetic: bool
    n_images: int
    mean_kilobytes: float
    rounds: int
    seconds: float
    servers: tuple[Server, ...]
    left_out: tuple[str, ...]
    limits: tuple[Limit, ...]
    visits: tuple[Visit, ...]
    checks: tuple[Check, ...]

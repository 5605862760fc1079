"""Images a minute for each client, counted by all processes of a server together."""

import multiprocessing
import sqlite3
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from live import PATIENCE, client_of, free_port, process, wait_until_ready
from uploads import encoded

from skincli.config.schema import Config
from skincli.config.serving import KeysConfig
from skincli.serving.guards import buckets as buckets_module
from skincli.serving.guards.buckets import Buckets
from skincli.serving.guards.limits import _network
from skincli.serving.keys.issuing import create_key

JPEG = encoded("JPEG")
# One process of a server: the guards, and a route as `/v1/predict` uses them.
WORKER = """
import sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from skincli.config.serving import KeysConfig, ServeConfig
from skincli.serving.guards.guard import guard
from skincli.serving.routes.dependencies import Caller

folder, port = Path(sys.argv[1]), int(sys.argv[2])
app = FastAPI()
guard(app, ServeConfig(keys=KeysConfig(file=str(folder / "keys.json"), required="always")), folder)

@app.post("/v1/predict")
async def predict(caller: Caller, images: int = 1) -> None:
    caller.charge(images)

@app.get("/readyz")
async def ready() -> None:
    pass

uvicorn.run(app, port=port, log_level="warning")
"""


def limited(config: Config, per_minute: int, file: Path | None = None) -> Config:
    keys = KeysConfig(file=str(file), required="always") if file else KeysConfig()
    limits = replace(config.serve.limits, per_minute=per_minute)
    return replace(config, serve=replace(config.serve, limits=limits, keys=keys))


def send(client: httpx.Client, images: int = 1, **headers: str) -> httpx.Response:
    return client.post("/v1/predict", files=[("images", JPEG)] * images, headers=headers)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of the buckets' clock, to be set."""
    now = [1000.0]
    double = type("Time", (), {"monotonic": staticmethod(lambda: now[0])})
    monkeypatch.setattr(buckets_module, "time", double)
    return now


# The buckets.


def test_a_bucket_holds_a_minute_and_fills_up_again(tmp_path: Path, clock: list[float]) -> None:
    buckets = Buckets(tmp_path)
    assert [buckets.take("a", 6, 1) for _ in range(8)] == [0] * 6 + [10, 10]
    assert buckets.take("b", 6, 6) == 0
    clock[0] += 10.0
    assert buckets.take("a", 6, 1) == 0
    assert buckets.take("a", 6, 3) == 30
    clock[0] += 30.0
    assert buckets.take("a", 6, 3) == 0
    clock[0] += 1000.0  # never more than a minute's
    assert buckets.take("a", 6, 6) == 0
    assert buckets.take("a", 6, 1) == 10
    assert buckets.take("c", 6, 1) == 0
    clock[0] += 40.0  # nor where it was full before it is swept away
    assert buckets.take("c", 6, 6) == 0
    assert buckets.take("c", 6, 1) == 10
    buckets.close()


def test_full_buckets_are_swept_away(tmp_path: Path, clock: list[float]) -> None:
    buckets = Buckets(tmp_path)
    for client in range(100):
        buckets.take(f"{client}", 60, 1)
    clock[0] += 61.0
    buckets.take("last", 60, 1)
    buckets.close()
    with sqlite3.connect(tmp_path / buckets_module.FILE) as file:
        assert file.execute("SELECT client FROM buckets").fetchall() == [("last",)]
    file.close()


def _taken(folder: Path, attempts: int) -> int:
    buckets = Buckets(folder)
    taken = sum(buckets.take("one", 300, 1) == 0 for _ in range(attempts))
    buckets.close()
    return taken


def test_processes_never_take_a_token_twice(tmp_path: Path) -> None:
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        taken = sum(pool.starmap(_taken, [(tmp_path, 200)] * 3))
    refilled = 300 / 60 * (time.monotonic() - began)
    assert 300 <= taken <= 300 + refilled


def test_a_file_that_fails_lets_requests_pass_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    buckets = Buckets(tmp_path)
    with sqlite3.connect(tmp_path / buckets_module.FILE) as other:
        other.execute("DROP TABLE buckets")
    other.close()
    assert [buckets.take("a", 1, 1) for _ in range(3)] == [0, 0, 0]
    buckets.close()
    assert len(caplog.records) == 1


def test_taking_costs_little(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    began = time.perf_counter()
    for _ in range(500):
        buckets.take("a", 100_000, 1)
    assert (time.perf_counter() - began) / 500 < 0.005
    buckets.close()


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (None, "this computer"),
    ],
)
def test_an_address_stands_for_its_network(peer: tuple[str, int] | None, name: str) -> None:
    assert _network({"client": peer}) == name


# The service.


def test_without_keys_an_address_has_a_limit(config: Config) -> None:
    with client_of(limited(config, 3)) as client:
        assert [send(client).status_code for _ in range(3)] == [200] * 3
        answer = send(client)
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["reason"] == "too_many_requests"
        assert 15 <= int(answer.headers["retry-after"]) <= 20
        earlier = client.post("/model_inference", files={"file": JPEG})
        assert earlier.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert client.get("/v1/model").status_code == httpx.codes.OK


def test_each_image_of_a_request_counts(config: Config) -> None:
    with client_of(limited(config, 6)) as client:
        too_many = send(client, 7)
        assert too_many.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert too_many.json()["reason"] == "too_many_images"
        assert "retry-after" not in too_many.headers
        assert send(client, 4).status_code == httpx.codes.OK
        answer = send(client, 3)
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        # No token is left, and the request wants three.
        assert 25 <= int(answer.headers["retry-after"]) <= 30


def test_the_limit_is_looked_at_before_the_body(config: Config) -> None:
    with client_of(limited(config, 1)) as client:
        assert send(client).status_code == httpx.codes.OK
        # The body would be refused as too large, had anyone looked at its length.
        answer = client.post("/v1/predict", files={"images": bytes(3_000_001)})
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS


def test_a_key_has_its_own_limit_or_none(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys = {
        name: create_key(file, name, n).key for name, n in (("one", 1), ("all", 0), ("none", None))
    }
    with client_of(limited(config, 2, file)) as client:
        answered = {
            name: [send(client, **{"x-api-key": key}).status_code for _ in range(3)]
            for name, key in keys.items()
        }
    assert answered == {"one": [200, 429, 429], "all": [200] * 3, "none": [200, 200, 429]}


def test_limits_of_two_processes_add_up(tmp_path: Path) -> None:
    secret = create_key(tmp_path / "keys.json", "clinic", 10).key
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        for port in ports:
            command = (sys.executable, "-c", WORKER, str(tmp_path), str(port))
            stack.enter_context(process(command, tmp_path))
        for port in ports:
            wait_until_ready(f"http://127.0.0.1:{port}")
        clients = [
            stack.enter_context(
                httpx.Client(
                    base_url=f"http://127.0.0.1:{port}",
                    headers={"x-api-key": secret},
                    trust_env=False,
                    timeout=PATIENCE,
                )
            )
            for port in ports
        ]
        statuses = [
            clients[n % 2].post("/v1/predict", params={"images": 2}).status_code for n in range(7)
        ]
    assert statuses == [200] * 5 + [429] * 2

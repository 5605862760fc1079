"""Requests as no honest client writes them, on a raw socket: 4xx or a close, and no waiting."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from abuse import REQUESTS
from handwriting import FORM, GOOD, request
from service import Service, service

from skincli.bundle import Bundle

PATIENCE = 60.0
PROBLEM = b"content-type: application/problem+json\r\n"
LEAKS = (b"Traceback", b"site-packages", b"root:", b"at 0x", b"X-Injected: 1\r\n")


@pytest.fixture(scope="module")
def served(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("serving")
    # A request that never ends is cut off soon, so that waiting for it takes little.
    with service(bundle.folder, folder, "serve.limits.receive_seconds=3") as it:
        yield it


def answer_to(served: Service, content: bytes) -> bytes:
    """All that comes back until the server closes; the client keeps its own side open."""
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        received = b""
        with suppress(OSError):  # refused before all of it was sent
            connection.sendall(content)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def assert_well(served: Service) -> None:
    with served.client() as client:
        answer = client.post("/v1/predict", content=GOOD, headers=[FORM.split(": ")])
        assert answer.status_code == httpx.codes.OK


def test_nothing_breaks_the_server_or_keeps_it_waiting(served: Service) -> None:
    processes = served.processes()
    broken = {}
    for name, content in REQUESTS.items():
        received = answer_to(served, content)
        found = statuses(received)
        # The beginning of HTTP/2 is two requests to a server of HTTP/1.1.
        most = 2 if name == "line: HTTP/2" else 1
        if (
            len(found) > most
            or any(status >= 500 for status in found)
            or (any(status >= 400 for status in found) and PROBLEM not in received)
            or any(leak in received for leak in LEAKS)
        ):
            broken[name] = received[:300]
    assert not broken
    assert served.processes() == processes
    assert_well(served)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("multipart: no boundary", 400),
        ("multipart: 5000 parts", 400),
        ("multipart: no end", 422),
        ("length: two lengths", 400),
        ("length: the length '-1'", 400),
        ("length: the length 'five'", 400),
        ("length: the length '9999999999999999999'", 413),
        ("length: chunks", 200),
        ("length: chunks and a length", 400),
        ("line: the line 'BREW /v1/predict HTTP/1.1'", 400),
        ("line: the path '/../../../../etc/passwd'", 404),
        ("line: the path '/static/%2e%2e%2f%2e%2e%2fapp.py'", 404),
        ("headers: another host", 421),
        ("headers: a forged address", 200),
        ("headers: a megabyte of a header", 431),
        ("body: a packed form", 415),
        ("body: a packed image", 415),
        ("body: json", 415),
        ("body: feedback 4", 422),
    ],
)
def test_the_status_is_the_right_one(served: Service, name: str, status: int) -> None:
    assert statuses(answer_to(served, REQUESTS[name])) == [status]


def test_a_second_request_is_not_smuggled_in_the_body_of_the_first(served: Service) -> None:
    hidden = b"0\r\n\r\nGET /v1/model HTTP/1.1\r\nHost: localhost\r\n\r\n"
    content = request(FORM, "Transfer-Encoding: chunked", body=hidden)
    assert statuses(answer_to(served, content.replace(b"Connection: close\r\n", b""))) == [400]


def test_a_client_that_waits_to_be_told_to_go_on_is_told(served: Service) -> None:
    content = request(FORM, "Expect: 100-continue", body=GOOD)
    head, body = content[: -len(GOOD)], content[-len(GOOD) :]
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_half_a_request_is_cut_off(served: Service, share: float) -> None:
    content = request(FORM, body=GOOD)
    received = answer_to(served, content[: int(share * len(content))])
    assert statuses(received) in ([], [408])


def test_clients_that_go_away_leave_nothing_behind(served: Service) -> None:
    content = request(FORM, body=GOOD)
    assert_well(served)
    before = served.descriptors()
    for end in range(10, len(content), len(content) // 100):
        with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as connection:
            connection.sendall(content[:end])
    assert_well(served)
    assert served.descriptors() <= before + 10

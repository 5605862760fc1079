"""Clients that are slow on purpose, on a raw socket: cut off, and in nobody's way."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from live import PATIENCE, free_port, process, wait_until_ready
from uploads import MULTIPART, encoded, multipart

from skincli.bundle import Bundle

RECEIVE_SECONDS = 1.0


@pytest.fixture(scope="module")
def port(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    folder: Path = tmp_path_factory.mktemp("slow")
    command = (sys.executable, "-m", "skincli", "serve", "--model", str(bundle.folder))
    settings = (f"serve.port={number}", f"serve.limits.receive_seconds={RECEIVE_SECONDS}")
    with process((*command, *settings), folder):
        wait_until_ready(f"http://127.0.0.1:{number}")
        yield number


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the server hangs up."""
    return connection.makefile("rb").read()


def drip(connection: socket.socket, data: bytes) -> float:
    """Send a byte at a time until the server hangs up; the seconds that took."""
    began = time.monotonic()
    connection.settimeout(0.05)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            if connection.recv(1, socket.MSG_PEEK) in (b"", b"H"):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    connection.settimeout(PATIENCE)
    return time.monotonic() - began


def send_for_ever(connection: socket.socket, data: bytes) -> None:
    """Until the server resets the connection, which raises ConnectionError, or patience ends."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        with suppress(TimeoutError):
            connection.sendall(data)
        time.sleep(0.02)


def assert_too_slow(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["reason"] == "too_slow"


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    with connected(port) as connection:
        assert_too_slow(everything(connection))


@pytest.mark.parametrize(
    "head", [b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ", b"GET /healthz?"]
)
def test_headers_that_drip_are_cut_off_however_steadily(port: int, head: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(head)
        seconds = drip(connection, b"a" * 10_000)
        assert_too_slow(everything(connection))
    assert RECEIVE_SECONDS / 2 < seconds < PATIENCE


@pytest.mark.parametrize("framing", ["content-length: 100000", "transfer-encoding: chunked"])
def test_a_body_that_drips_is_cut_off_and_others_are_served_meanwhile(
    port: int, framing: str
) -> None:
    head = f"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\n{framing}"
    with connected(port) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        answer = httpx.post(
            f"http://127.0.0.1:{port}/v1/predict",
            files={"images": encoded("JPEG")},
            trust_env=False,
        )
        assert answer.status_code == httpx.codes.OK
        drip(connection, b"1\r\na\r\n" * 2_000)
        assert_too_slow(everything(connection))


def test_a_refused_body_is_not_read_for_ever(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(
            b"POST /nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999\r\n\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 413"
        connection.settimeout(0.05)
        with pytest.raises(ConnectionError):
            send_for_ever(connection, b"a")


def test_a_second_request_on_a_connection_has_its_own_time(port: int) -> None:
    body = multipart("images", encoded("JPEG"))
    head = "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\n"
    head += f"content-type: {MULTIPART['content-type']}\r\ncontent-length: {len(body)}\r\n\r\n"
    with connected(port) as connection:
        reader = connection.makefile("rb")
        for pause in (0.0, 0.7, 0.7):
            time.sleep(pause * RECEIVE_SECONDS)
            connection.sendall(head.encode() + body)
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            reader.read(length)


def test_a_client_that_does_not_read_its_answer_is_dropped(port: int) -> None:
    """Pipelined requests for more than the buffers of both sides can hold."""
    ask = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with connected(port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.2)
        with pytest.raises(ConnectionError):
            send_for_ever(connection, ask * 100)


def test_a_body_that_drips_behind_a_whole_request_is_cut_off(port: int) -> None:
    first = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    second = b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\nabc"
    with connected(port) as connection:
        connection.sendall(first + second)
        answers = b""
        with suppress(ConnectionError):  # the second was answered, before its body was there
            while received := connection.recv(65_536):
                answers += received
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 415 " in answers


def test_empty_lines_do_not_keep_a_connection(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"\r\n")
        everything(connection)


def test_trailers_without_end_are_refused(port: int) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\n"
    with connected(port) as connection:
        connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
        with suppress(ConnectionError):
            connection.sendall(b"a: b\r\n" * 100_000)
        with suppress(ConnectionError):
            assert b" 431 " in everything(connection)

"""Bad requests are refused in plain words, and the server goes on serving."""

import gc
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from live import client_of
from uploads import MULTIPART, black_png, declaring_png, encoded, multipart

from skincli.config.schema import Config
from skincli.serving.app import create_app

# Starlette leaves the file of a part that is cut off to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)
JPEG = encoded("JPEG")


@pytest.fixture(autouse=True)
def still_serving(client: httpx.Client) -> Iterator[None]:
    """After every refusal a good image is answered, on the same connection and on a new one."""
    yield
    gc.collect()
    for session in (client, httpx.Client(base_url=client.base_url, trust_env=False)):
        answer = session.post("/v1/predict", files={"images": JPEG})
        assert answer.status_code == httpx.codes.OK
    session.close()


def assert_problem(answer: httpx.Response, status: int, reason: str | None, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem.get("reason") == reason
    assert words in problem["detail"]
    assert not any(leak in answer.text for leak in ("Traceback", "site-packages", ".py", "0x"))


@pytest.mark.parametrize(
    ("data", "status", "reason", "words"),
    [
        (b"", 422, "empty", "empty"),
        (b"roses are red", 415, "not_an_image", "not an image"),
        (encoded("GIF"), 415, "not_an_image", "supported format"),
        (JPEG[: len(JPEG) // 2], 422, "damaged", "truncated"),
        (encoded("PNG")[:-200], 422, "damaged", "truncated"),
        (encoded("TIFF")[:-200], 422, "damaged", "truncated"),
        (encoded("PNG", (700, 700)), 413, "too_many_bytes", "1,000,000 allowed"),
        (black_png(5100), 413, "too_many_pixels", "5100 x 5100"),
        (declaring_png(5100), 413, "too_many_pixels", "5100 x 5100"),
        (declaring_png(60_000), 413, "too_many_pixels", "60000 x 60000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_image_is_named_and_the_reason_given(
    client: httpx.Client, data: bytes, status: int, reason: str, words: str
) -> None:
    files = [("images", ("good.jpg", JPEG)), ("images", ("bad.jpg", data))]
    answer = client.post("/v1/predict", files=files)
    assert_problem(answer, status, reason, words)
    assert "`bad.jpg`" in answer.json()["detail"]
    answer = client.post("/model_inference", files={"file": ("bad.jpg", data)})
    assert_problem(answer, status, reason, words)


def test_a_request_without_a_file(client: httpx.Client) -> None:
    answer = client.post("/v1/predict", files={"image": JPEG})
    assert_problem(answer, 422, "no_file", "no file in the field `images`")
    answer = client.post("/model_inference", files={"images": JPEG})
    assert_problem(answer, 422, "no_file", "no file in the field `file`")


def test_text_in_the_place_of_a_file(client: httpx.Client) -> None:
    text = multipart("images", b"roses").replace(b'; filename="x.jpg"', b"")
    answer = client.post("/v1/predict", content=text, headers=MULTIPART)
    assert_problem(answer, 422, "no_file", "no file in the field `images`")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", ""])
def test_a_body_of_another_kind(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/v1/predict", content=JPEG, headers={"content-type": content_type})
    assert_problem(answer, 415, "not_multipart", "multipart/form-data, in the field `images`")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [(b"", 422, "empty"), (b"roses", 415, "not_an_image"), (JPEG[:300], 422, "damaged")],
)
def test_a_body_that_is_no_image(
    client: httpx.Client, body: bytes, status: int, reason: str
) -> None:
    answer = client.post("/v1/predict", content=body, headers={"content-type": "image/jpeg"})
    assert answer.status_code == status
    assert answer.json()["reason"] == reason


def test_a_request_without_a_body(client: httpx.Client) -> None:
    assert_problem(client.post("/v1/predict"), 415, "not_multipart", "multipart/form-data")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason", "words"),
    [
        (b"no boundary in here", MULTIPART["content-type"], 400, None, "Invalid multipart"),
        (multipart("images", JPEG), "multipart/form-data", 400, None, "Missing boundary"),
        (multipart("images", JPEG)[:-30], MULTIPART["content-type"], 422, "no_file", "no file"),
    ],
    ids=["garbage", "boundary not declared", "cut off"],
)
def test_a_malformed_multipart_body(
    client: httpx.Client, body: bytes, content_type: str, status: int, reason: str, words: str
) -> None:
    answer = client.post("/v1/predict", content=body, headers={"content-type": content_type})
    assert_problem(answer, status, reason, words)


def test_too_many_images(client: httpx.Client) -> None:
    answer = client.post("/v1/predict", files=[("images", JPEG)] * 9)
    assert_problem(answer, 400, None, "Maximum number of files is 8")


def test_a_body_over_the_limit_by_its_declared_length(client: httpx.Client) -> None:
    answer = client.post("/v1/predict", files={"images": bytes(3_000_001)})
    assert_problem(answer, 413, "too_many_bytes", "3,000,000 bytes allowed")


def test_a_body_over_the_limit_in_chunks(client: httpx.Client) -> None:
    body = multipart("images", bytes(3_000_001))
    chunks = (body[start : start + 50_000] for start in range(0, len(body), 50_000))
    answer = client.post("/v1/predict", content=chunks, headers=MULTIPART)
    assert "content-length" not in answer.request.headers
    assert_problem(answer, 413, "too_many_bytes", "3,000,000 bytes allowed")


def test_large_bodies_together_are_answered_503_until_they_are_gone(client: httpx.Client) -> None:
    body = multipart("images", bytes(2_900_000))
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {MULTIPART['content-type']}\r\n\r\n"
    with ExitStack() as connections:
        for _ in range(8):
            address = (client.base_url.host, client.base_url.port)
            connection = connections.enter_context(socket.create_connection(address))
            connection.sendall(head.encode() + body[:-1])
        # The server may be behind with reading; what it has read counts.
        for _ in range(100):
            answer = client.post("/v1/predict", content=body, headers=MULTIPART)
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                break
        assert_problem(answer, 503, "busy", "too large together")
        assert answer.headers["retry-after"] == "1"
    for _ in range(100):
        answer = client.post("/v1/predict", content=body, headers=MULTIPART)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
    assert_problem(answer, 413, "too_many_bytes", "1,000,000 allowed")


def test_a_chunked_body_within_the_limit_is_answered(client: httpx.Client) -> None:
    body = multipart("images", JPEG)
    chunks = (body[start : start + 1000] for start in range(0, len(body), 1000))
    answer = client.post("/v1/predict", content=chunks, headers=MULTIPART)
    assert answer.status_code == httpx.codes.OK


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v1/model/../../etc/passwd", "/%00"])
def test_an_unknown_path(client: httpx.Client, path: str) -> None:
    assert_problem(client.get(path), 404, None, "Not Found")
    assert client.head(path).status_code == httpx.codes.NOT_FOUND


def test_a_wrong_method(client: httpx.Client) -> None:
    answer = client.get("/v1/predict")
    assert_problem(answer, 405, None, "Method Not Allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/predict", MULTIPART["content-type"]),
        ("/v1/predict", "image/jpeg"),
        ("/v1/feedback", "application/json"),
        ("/model_inference", MULTIPART["content-type"]),
    ],
)
def test_a_client_that_goes_away_while_it_sends(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, share: float, path: str, kind: str
) -> None:
    body = multipart("images", JPEG)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {kind}\r\n\r\n"
    address = (client.base_url.host, client.base_url.port)
    for _ in range(5):
        with socket.create_connection(address) as connection:
            connection.sendall(head.encode() + body[: int(share * len(body))])
    assert client.get("/healthz").status_code == httpx.codes.OK
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_unexpected_exception_is_logged_and_tells_the_client_nothing(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(config)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret")

    with client_of(app) as client:
        answer = client.get("/broken")
        assert client.get("/healthz").status_code == httpx.codes.OK
    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
    }
    assert "a secret" in caplog.text

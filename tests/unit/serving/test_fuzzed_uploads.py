"""Whatever hypothesis makes of bytes and images, a real server answers or refuses it."""

import httpx
import pytest
from hostile.mutating import WHOLE, mutated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uploads import MULTIPART, encoded, multipart

# Starlette leaves the file of a part that is cut off to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)
GOOD = encoded("JPEG")
BRIEF = settings(
    max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(BRIEF, max_examples=4000)
BEGINNINGS = (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP", b"BM", b"II*\0")
TYPES = ("image/jpeg", "image/png", "image/webp", "image/x", "text/plain", "application/json")


def assert_answered_or_refused(client: httpx.Client, answer: httpx.Response) -> None:
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code != httpx.codes.OK:
        assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    good = client.post("/v1/predict", files={"images": GOOD})
    assert good.status_code == httpx.codes.OK


def send_bytes(client: httpx.Client, beginning: bytes, rest: bytes, kind: str) -> None:
    headers = {"content-type": kind}
    answer = client.post("/v1/predict", content=beginning + rest, headers=headers)
    assert_answered_or_refused(client, answer)


def send_forms(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/predict", content=body, headers=MULTIPART)
    assert_answered_or_refused(client, answer)


def send_images(client: httpx.Client, image: bytes) -> None:
    as_file = client.post("/v1/predict", files={"images": ("x.jpg", image)})
    as_body = client.post("/v1/predict", content=image, headers={"content-type": "image/png"})
    assert as_file.status_code == as_body.status_code
    assert_answered_or_refused(client, as_file)


BYTES = given(
    beginning=st.sampled_from(BEGINNINGS),
    rest=st.binary(max_size=400),
    kind=st.sampled_from(TYPES),
)
FORMS = given(body=mutated(multipart("images", GOOD)))
IMAGES = given(image=st.sampled_from(sorted(WHOLE)).flatmap(lambda name: mutated(WHOLE[name])))


@BRIEF
@BYTES
def test_bytes(client: httpx.Client, beginning: bytes, rest: bytes, kind: str) -> None:
    send_bytes(client, beginning, rest, kind)


@BRIEF
@FORMS
def test_changed_forms(client: httpx.Client, body: bytes) -> None:
    send_forms(client, body)


@settings(BRIEF, max_examples=600)
@IMAGES
def test_changed_images(client: httpx.Client, image: bytes) -> None:
    send_images(client, image)


@pytest.mark.slow
@LONG
@BYTES
def test_bytes_at_length(client: httpx.Client, beginning: bytes, rest: bytes, kind: str) -> None:
    send_bytes(client, beginning, rest, kind)


@pytest.mark.slow
@LONG
@FORMS
def test_changed_forms_at_length(client: httpx.Client, body: bytes) -> None:
    send_forms(client, body)


@pytest.mark.slow
@LONG
@IMAGES
def test_changed_images_at_length(client: httpx.Client, image: bytes) -> None:
    send_images(client, image)

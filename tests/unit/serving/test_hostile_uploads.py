"""Hostile files sent to a real server: refused or answered, and it goes on as before."""

from collections.abc import Iterator

import httpx
import pytest
from hostile import FILES, made
from service import Service, service
from uploads import encoded

from skincli.bundle import Bundle

GOOD = encoded("JPEG")
# What the processes may grow by: the heaps of the threads that decode keep some of what they had.
GROWTH = 250e6
LEAKS = ("Traceback", "site-packages", "/work", "/tmp", "/usr", ".py", "at 0x", "Error(")
HEAVY = ("mega", "giga", "million")


@pytest.fixture(scope="module")
def served(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(bundle.folder, tmp_path_factory.mktemp("serving")) as it:
        yield it


def assert_answered_or_refused(name: str, answer: httpx.Response) -> None:
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, (name, answer.text)
    assert not [leak for leak in LEAKS if leak in answer.text], (name, answer.text)
    if answer.status_code != httpx.codes.OK:
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["reason"], name


def send(client: httpx.Client, name: str, data: bytes) -> None:
    """As a form's file, and as the body under a type that is not its own; then a good image."""
    form = client.post("/v1/predict", files={"images": ("lesion.jpg", data)})
    body = client.post("/v1/predict", content=data, headers={"content-type": "image/jpeg"})
    for answer in (form, body):
        assert_answered_or_refused(name, answer)
    assert form.status_code == body.status_code, name
    good = client.post("/v1/predict", content=GOOD, headers={"content-type": "image/jpeg"})
    assert good.status_code == httpx.codes.OK, (name, good.text)


def send_all(served: Service, names: list[str]) -> None:
    """None of the processes may end, hold on to files or threads, or grow beyond bounds."""
    with served.client() as client:
        for _ in range(20):
            send(client, "good", GOOD)
        processes, memory = served.processes(), served.resident()
        descriptors, threads = served.descriptors(), served.threads()
        for name in names:
            send(client, name, made(FILES[name]))
        assert served.processes() == processes
        assert served.resident() < memory + GROWTH
        assert served.descriptors() <= descriptors + 5
        assert served.threads() <= threads + 5


def test_hostile_files_are_answered_or_refused(served: Service) -> None:
    send_all(served, [name for name in FILES if not any(word in name for word in HEAVY)])


@pytest.mark.slow
def test_bombs_are_answered_or_refused(served: Service) -> None:
    send_all(served, [name for name in FILES if any(word in name for word in HEAVY)])


def test_metadata_is_dropped_from_the_answer(served: Service) -> None:
    """Nothing that a file says of itself comes back, the name that it was sent under apart."""
    with served.client() as client:
        name = "jpeg and html"
        answer = client.post("/v1/predict", files={"images": made(FILES[name])})
        assert answer.status_code == httpx.codes.OK
        assert "fetch(" not in answer.text

"""The bounded queue before the inference threads: no room, too late, small batches."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import PATIENCE, client_of
from uploads import encoded

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.config.serving import LimitsConfig
from skincli.serving.app import assemble
from skincli.serving.fixed import FixedModel
from skincli.serving.model import Answer, ServedModel, Upload
from skincli.serving.schemas import ModelName

GOOD = encoded("JPEG")


class Gated(ServedModel):
    """Answers as often as it is let, and remembers how many images came at once."""

    def __init__(self, bundle: Bundle, config: Config) -> None:
        super().__init__(bundle, ModelName(name="gated", version=None, digest="0" * 64), config)
        self._permits = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.batches: list[int] = []

    def let(self, batches: int = 100) -> None:
        self._permits.release(batches)

    def answer(self, uploads: Sequence[Upload]) -> list[Answer | Exception]:
        self.begun.release()
        assert self._permits.acquire(timeout=PATIENCE)
        self.batches.append(len(uploads))
        return super().answer(uploads)

    def _decode(self, upload: Upload) -> Any:
        if upload.name == "breaks.jpg":
            raise MemoryError
        return super()._decode(upload)


@contextmanager
def gated(bundle: Bundle, config: Config) -> Iterator[tuple[Gated, "Client"]]:
    model = Gated(bundle, config)
    scratch = Path(bundle.folder).parent
    app = assemble(config, lambda meters: FixedModel(lambda: model, meters), scratch)
    with client_of(app) as client, ThreadPoolExecutor(16) as pool:
        try:
            yield model, Client(client, pool)
        finally:
            model.let()


class Client:
    """Sends requests side by side."""

    def __init__(self, client: httpx.Client, pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._pool = pool

    def send(self, *images: bytes, name: str = "image.jpg") -> Future[httpx.Response]:
        files = [("images", (name, image)) for image in images]
        return self._pool.submit(self._client.post, "/v1/predict", files=files)

    def metrics(self) -> str:
        return self._client.get("/metrics").text

    def wait_until_waiting(self, images: int) -> None:
        wanted = f"skincli_images_waiting {images}.0"
        while wanted not in self.metrics():
            pass


def limited(config: Config, max_batch: int = 1, window: float = 0, **limits: float) -> Config:
    serve = replace(
        config.serve,
        threads=1,
        max_batch=max_batch,
        batch_window_ms=window,
        limits=LimitsConfig(**limits),  # type: ignore[arg-type]
    )
    return replace(config, serve=serve)


def test_what_finds_no_room_is_told_when_to_come_again_and_the_rest_is_answered(bundle, config):
    with gated(bundle, limited(config, images=2, waiting=2)) as (model, client):
        first = client.send(GOOD)
        assert model.begun.acquire(timeout=PATIENCE)
        second = client.send(GOOD, GOOD)
        client.wait_until_waiting(2)
        refused = client.send(GOOD).result()
        assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["reason"] == "busy"
        assert int(refused.headers["retry-after"]) >= 1
        model.let()
        assert [first.result().status_code, second.result().status_code] == [200, 200]
        client.wait_until_waiting(0)


def test_an_image_that_waited_too_long_is_not_looked_at(bundle, config):
    with gated(bundle, limited(config, deadline_seconds=0.3)) as (model, client):
        first = client.send(GOOD)
        assert model.begun.acquire(timeout=PATIENCE)
        late = client.send(GOOD)
        client.wait_until_waiting(1)
        threading.Event().wait(0.4)
        model.let()
        assert first.result().status_code == httpx.codes.OK
        answer = late.result()
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["reason"] == "deadline"
        assert "retry-after" in answer.headers
        assert model.batches == [1]


def test_what_waits_is_scored_in_batches_and_a_bad_image_is_refused_alone(bundle, config):
    with gated(bundle, limited(config, max_batch=3, window=0)) as (model, client):
        first = client.send(GOOD)
        assert model.begun.acquire(timeout=PATIENCE)
        others = [client.send(image) for image in (encoded("PNG", seed=1), GOOD[:200], GOOD)]
        client.wait_until_waiting(3)
        model.let()
        assert first.result().status_code == httpx.codes.OK
        codes = sorted(other.result().status_code for other in others)
        assert codes == [200, 200, 422]
        assert model.batches == [1, 3]
        alone = first.result().json()["predictions"][0]["probabilities"]
        together = [
            other.result().json()["predictions"][0]["probabilities"]
            for other in others
            if other.result().is_success
        ]
        assert any(each == pytest.approx(alone, abs=1e-6) for each in together)


def test_what_breaks_over_one_image_is_not_told_to_others_of_its_batch(bundle, config):
    with gated(bundle, limited(config, max_batch=2)) as (model, client):
        first = client.send(GOOD)
        assert model.begun.acquire(timeout=PATIENCE)
        broken, good = client.send(GOOD, name="breaks.jpg"), client.send(GOOD)
        client.wait_until_waiting(2)
        model.let()
        codes = [answer.result().status_code for answer in (first, broken, good)]
        assert codes == [200, 500, 200]
        assert 'skincli_requests_total{route="/v1/predict",status="500"} 1.0' in client.metrics()


def test_a_window_gathers_images_of_several_requests(bundle, config):
    with gated(bundle, limited(config, max_batch=2, window=60_000)) as (model, client):
        model.let()
        answers = [client.send(GOOD), client.send(GOOD)]
        assert [answer.result().status_code for answer in answers] == [200, 200]
        assert model.batches == [2]


def test_a_refused_image_leaves_the_rest_of_its_request_unlooked_at(bundle, config):
    with gated(bundle, limited(config)) as (model, client):
        first = client.send(GOOD[:200], GOOD, GOOD, GOOD)
        assert model.begun.acquire(timeout=PATIENCE)
        client.wait_until_waiting(3)
        other = client.send(GOOD)
        client.wait_until_waiting(4)
        model.let(1)
        assert first.result().json()["reason"] == "damaged"
        model.let()
        assert other.result().status_code == httpx.codes.OK
        # One more of the first request may have been begun before it was answered.
        assert len(model.batches) in (2, 3)

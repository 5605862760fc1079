"""What the service tells Prometheus: the sum of its workers, where there are several."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from skincli.serving.schemas import ModelName, Prediction
from skincli.serving.worker import SHARED_COUNTERS

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_IMAGES: Final = (1, 2, 4, 8, 16, 32)


class ServiceMeters:
    """Counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        name = "skincli_"
        self._requests = Counter(
            f"{name}requests", "Requests answered", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            f"{name}stage_seconds",
            "Time by stage: queue, decode and network of an image, total of a request",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._under_way = self._sum("requests_under_way", "Requests not answered yet")
        self._waiting = self._sum("images_waiting", "Images that wait for a thread")
        self._batches = Histogram(
            f"{name}batch_images", "Images per batch", buckets=_IMAGES, registry=registry
        )
        self._predictions = Counter(
            f"{name}predictions", "Images by diagnosis", ("diagnosis",), registry=registry
        )
        self._abstentions = Counter(
            f"{name}abstentions", "Images by why no answer", ("reason",), registry=registry
        )
        self._lost = Counter(
            f"{name}journal_dropped", "Predictions that the journal lost", registry=registry
        )
        self._swaps = Counter(
            f"{name}models_taken", "Models taken into use, by each worker", registry=registry
        )
        self._model = Gauge(
            f"{name}model",
            "1 for what is served, 0 for what was",
            ("name", "version", "digest"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._away = self._flag("registry_away", "1 while the registry does not answer")
        self._refused = self._flag("version_refused", "1 while the alias names a refused version")
        self._served: ModelName | None = None

    def serve(self, model: ModelName) -> None:
        if self._served is not None:
            self._model_gauge(self._served).set(0)
        self._model_gauge(model).set(1)
        self._served = model
        self._swaps.inc()

    def registry(self, *, away: bool, refused: bool) -> None:
        self._away.set(away)
        self._refused.set(refused)

    def waiting(self, images: int) -> None:
        self._waiting.set(images)

    def batch(self, images: int) -> None:
        self._batches.observe(images)

    def lost(self, predictions: int) -> None:
        self._lost.inc(predictions)

    def count(self, prediction: Prediction) -> None:
        self._predictions.labels(prediction.diagnosis.code).inc()
        if prediction.abstain_reason:
            self._abstentions.labels(prediction.abstain_reason).inc()
        spent = prediction.timings
        self._seconds.labels("queue").observe(spent.queue_ms / 1000)
        self._seconds.labels("decode").observe(spent.decode_ms / 1000)
        self._seconds.labels("network").observe(spent.network_ms / 1000)

    @contextmanager
    def request(self) -> Iterator[Callable[[str, int], None]]:
        """Around a request; what is handed out takes its route and the status of its answer."""
        began = perf_counter()
        self._under_way.inc()

        def answered(route: str, status: int) -> None:
            self._requests.labels(route, str(status)).inc()
            self._seconds.labels("total").observe(perf_counter() - began)

        try:
            yield answered
        finally:
            self._under_way.dec()

    def text(self) -> bytes:
        if SHARED_COUNTERS not in os.environ:
            return generate_latest(self._registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)

    def _model_gauge(self, model: ModelName) -> Gauge:
        return self._model.labels(model.name, model.version or "", model.digest)

    def _sum(self, name: str, what: str) -> Gauge:
        return Gauge(f"skincli_{name}", what, registry=self._registry, multiprocess_mode="livesum")

    def _flag(self, name: str, what: str) -> Gauge:
        return Gauge(f"skincli_{name}", what, registry=self._registry, multiprocess_mode="livemax")

"""What the service tells Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from skincli.serving.schemas import ModelName, Prediction

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServiceMeters:
    """Counters of one service, in a registry of its own."""

    def __init__(self, dropped: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        name = "skincli_"
        self._requests = Counter(
            f"{name}requests", "Requests answered", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            f"{name}stage_seconds",
            "Time by stage: decode and network of an image, total of a request",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._under_way = Gauge(
            f"{name}requests_under_way", "Requests not answered yet", registry=self._registry
        )
        self._predictions = Counter(
            f"{name}predictions", "Images by diagnosis", ("diagnosis",), registry=self._registry
        )
        self._abstentions = Counter(
            f"{name}abstentions", "Images by why no answer", ("reason",), registry=self._registry
        )
        self._model = Gauge(
            f"{name}model",
            "1 for what is served",
            ("name", "version", "digest"),
            registry=self._registry,
        )
        lost = Gauge(
            f"{name}journal_dropped", "Predictions that the journal lost", registry=self._registry
        )
        lost.set_function(dropped)

    def serve(self, model: ModelName) -> None:
        self._model.clear()
        self._model.labels(model.name, model.version or "", model.digest).set(1)

    def count(self, prediction: Prediction) -> None:
        self._predictions.labels(prediction.diagnosis.code).inc()
        if prediction.abstain_reason:
            self._abstentions.labels(prediction.abstain_reason).inc()
        self._seconds.labels("decode").observe(prediction.timings.decode_ms / 1000)
        self._seconds.labels("network").observe(prediction.timings.network_ms / 1000)

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
        return generate_latest(self._registry)

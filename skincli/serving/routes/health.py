"""Whether the process lives, and whether it can answer."""

from fastapi import APIRouter, Response

from skincli.serving.errors import PROBLEM_RESPONSES
from skincli.serving.meters import CONTENT_TYPE
from skincli.serving.routes.dependencies import Meters, Model, NowServed
from skincli.serving.schemas import Health, Readiness

router = APIRouter(tags=["health"], responses=PROBLEM_RESPONSES)


@router.get("/healthz")
async def alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz")
async def ready(model: Model, served: NowServed) -> Readiness:
    """The model is loaded and passed its self-test; 503 until then."""
    return Readiness(status="ready", registry=served.registry)


@router.get("/metrics", response_class=Response)
async def metrics(meters: Meters) -> Response:
    """Counters for Prometheus."""
    return Response(meters.text(), media_type=CONTENT_TYPE)

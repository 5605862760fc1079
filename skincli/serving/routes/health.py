"""Whether the process lives, and whether it can answer."""

from fastapi import APIRouter, Response

from skincli.serving.errors import PROBLEM_RESPONSES
from skincli.serving.meters import CONTENT_TYPE
from skincli.serving.routes.dependencies import TheService
from skincli.serving.schemas import Health, Readiness

router = APIRouter(tags=["health"], responses=PROBLEM_RESPONSES)


@router.get("/healthz")
async def alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz")
async def ready(service: TheService) -> Readiness:
    """The model is loaded and passed its self-test; 503 until then."""
    _ = service.model  # raises until there is one
    return Readiness(status="ready", registry=service.served.registry)


@router.get("/metrics", response_class=Response)
async def metrics(service: TheService) -> Response:
    """Counters for Prometheus."""
    return Response(service.meters.text(), media_type=CONTENT_TYPE)

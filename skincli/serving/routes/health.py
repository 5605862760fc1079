"""Whether the process lives, and whether it can answer."""

from fastapi import APIRouter

from skincli.serving.routes.dependencies import Model
from skincli.serving.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz")
async def ready(model: Model) -> Health:
    """The model is loaded and passed its self-test; 503 until then."""
    return Health(status="ready")

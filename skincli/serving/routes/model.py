"""What is served and where it comes from."""

from dataclasses import asdict

from fastapi import APIRouter

from skincli.serving.errors import PROBLEM_RESPONSES
from skincli.serving.routes.dependencies import TheService
from skincli.serving.schemas import ClassDescription, ModelDescription
from skincli.serving.service import Service

router = APIRouter(prefix="/v1", tags=["model"], responses=PROBLEM_RESPONSES)


@router.get("/model")
async def describe_model(service: TheService) -> ModelDescription:
    """The model's task, classes, thresholds and lineage."""
    return description_of(service)


def description_of(service: Service) -> ModelDescription:
    """The bundle's own account, without the training config: it may name private folders."""
    model = service.model
    spec = model.spec
    lineage = asdict(spec.lineage)
    del lineage["config"]
    return ModelDescription(
        **model.name.model_dump(),
        task=spec.task,
        backbone=spec.backbone,
        precision=spec.precision,
        provider=model.provider,
        classes=[ClassDescription(**asdict(info)) for info in spec.classes],
        image_size=spec.image_size,
        temperature=spec.temperature,
        operating_point=spec.operating_point,
        target_sensitivity=spec.target_sensitivity,
        synthetic=spec.lineage.synthetic,
        registry=service.served.registry,
        metrics=service.served.metrics,
        lineage=lineage,
    )

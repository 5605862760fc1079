"""The two routes of the server that came before this one, for clients written against it."""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile

from skincli.serving.errors import PROBLEM_RESPONSES, no_file
from skincli.serving.routes.dependencies import TheService
from skincli.serving.routes.model import description_of
from skincli.serving.routes.predict import uploads
from skincli.serving.schemas import EarlierAnswer, ModelDescription

router = APIRouter(tags=["earlier clients"], responses=PROBLEM_RESPONSES)


@router.post("/model_inference", openapi_extra={"requestBody": {"required": True}})
async def model_inference(
    request: Request,
    service: TheService,
    file: Annotated[UploadFile | None, File(description="one image")] = None,
) -> EarlierAnswer:
    """The most probable class of one image and its probability. New clients: `/v1/predict`."""
    if file is None:
        raise no_file(request, "file")
    _, (prediction,) = await service.predict(uploads([file]))
    return EarlierAnswer(
        result=prediction.diagnosis.name,
        certainty=prediction.probabilities[prediction.diagnosis.code],
    )


@router.get("/model_info")
async def model_info(service: TheService) -> dict[str, ModelDescription]:
    """The same as `/v1/model`, under the key `model_info`."""
    return {"model_info": description_of(service)}

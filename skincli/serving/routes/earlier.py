"""The two routes of the server that came before this one, for clients written against it."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from skincli.serving.errors import PROBLEM_RESPONSES
from skincli.serving.routes.dependencies import Model
from skincli.serving.routes.model import description_of
from skincli.serving.schemas import EarlierAnswer, ModelDescription

router = APIRouter(tags=["earlier clients"])


@router.post("/model_inference", responses=PROBLEM_RESPONSES)
async def model_inference(
    model: Model, file: Annotated[UploadFile, File(description="one image")]
) -> EarlierAnswer:
    """The most probable class of one image and its probability. New clients: `/v1/predict`."""
    (prediction,) = await model.predict([file])
    return EarlierAnswer(
        result=prediction.diagnosis.name,
        certainty=prediction.probabilities[prediction.diagnosis.code],
    )


@router.get("/model_info")
async def model_info(model: Model) -> dict[str, ModelDescription]:
    """The same as `/v1/model`, under the key `model_info`."""
    return {"model_info": description_of(model)}

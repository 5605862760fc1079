"""Images in, predictions out."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from skincli.serving.errors import PROBLEM_RESPONSES
from skincli.serving.routes.dependencies import Model
from skincli.serving.schemas import PredictResponse

router = APIRouter(prefix="/v1", tags=["prediction"], responses=PROBLEM_RESPONSES)


@router.post("/predict")
async def predict(
    model: Model,
    images: Annotated[
        list[UploadFile],
        File(description="JPEG, PNG, WebP, BMP or TIFF files; DICOM with `skincli[dicom]`"),
    ],
) -> PredictResponse:
    """Classify one or more images. One image that cannot be read refuses the whole request."""
    return PredictResponse(model=model.name, predictions=await model.predict(images))

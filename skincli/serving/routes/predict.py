"""Images in, predictions out; and later, what the lesions were found to be."""

import io
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Query, Request, UploadFile
from pydantic import WithJsonSchema

from skincli.serving.errors import PROBLEM_RESPONSES, Problem, no_file
from skincli.serving.model import Upload
from skincli.serving.routes.dependencies import Caller, TheService
from skincli.serving.schemas import FeedbackGiven, FeedbackTaken, PredictResponse

# OpenAPI 3.0's words for a file: by them the documentation's page lets people choose some.
_Image = Annotated[UploadFile, WithJsonSchema({"type": "string", "format": "binary"})]
router = APIRouter(prefix="/v1", tags=["prediction"], responses=PROBLEM_RESPONSES)
_ONE_IMAGE: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png")
        },
        "required": True,
    }
}


@router.post("/predict", openapi_extra=_ONE_IMAGE)
async def predict(
    request: Request,
    service: TheService,
    caller: Caller,
    images: Annotated[
        list[_Image],
        File(
            default_factory=list,
            description="JPEG, PNG, WebP, BMP or TIFF files; DICOM with `skincli[dicom]`",
        ),
    ],
    heatmap: Annotated[bool, Query(description="add the class activation map as a PNG")] = False,
) -> PredictResponse:
    """Classify one or more images: a form's files, or one image as the body.

    One image that cannot be read refuses the whole request.
    """
    files = images or await _body(request)
    caller.charge(len(files))
    model, predictions = await service.predict(uploads(files, heatmap))
    return PredictResponse(model=model, predictions=predictions)


@router.post("/feedback", status_code=HTTPStatus.CREATED)
async def give_feedback(service: TheService, given: FeedbackGiven) -> FeedbackTaken:
    """Tell what the lesion of a prediction was found to be."""
    codes = [info.code for info in service.model.spec.classes]
    if given.diagnosis not in codes:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the diagnosis must be one of {', '.join(codes)}",
            "unknown_diagnosis",
        )
    return await service.journal.give_feedback(given)


def uploads(files: Sequence[UploadFile], heatmap: bool = False) -> list[Upload]:
    """What a request sent, as the threads take it."""
    sent = time.perf_counter()
    return [
        Upload(file.filename or f"image {number}", file.file, heatmap, sent)
        for number, file in enumerate(files, start=1)
    ]


async def _body(request: Request) -> Sequence[UploadFile]:
    """The body as one image. Raises Problem where it is none."""
    if not request.headers.get("content-type", "").lower().startswith("image/"):
        raise no_file(request, "images")
    return [UploadFile(io.BytesIO(await request.body()))]

"""Every refusal as `application/problem+json` (RFC 9457): plain words, no traceback, no path."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from skincli.errors import ImageError, ImageFault
from skincli.serving.guards.headers import headers_for
from skincli.serving.schemas import ProblemDocument

MEDIA_TYPE: Final = "application/problem+json"
_DOCUMENT: Final = {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}}
# For the OpenAPI document: what any route may answer.
PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request was refused; `detail` says why", "content": _DOCUMENT},
    "503": {
        "description": "Too much is under way, or what it takes is away: try again",
        "headers": {
            "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}
        },
        "content": _DOCUMENT,
    },
}
_STATUS: Final[dict[ImageFault, HTTPStatus]] = {
    "empty": HTTPStatus.UNPROCESSABLE_ENTITY,
    "damaged": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_an_image": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_format": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "too_many_bytes": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_pixels": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


class Problem(HTTPException):
    """A request that is refused: the status, why in plain words, and a code for programs.

    `retry_after` are the seconds after which another attempt has a chance.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, reason: str, retry_after: int | None = None
    ) -> None:
        headers = None if retry_after is None else {"retry-after": str(retry_after)}
        super().__init__(status, detail, headers)
        self.reason = reason

    def response(self) -> JSONResponse:
        """The answer, for where no exception handler stands around."""
        return problem_response(self.status_code, self.detail, self.reason, self.headers)


def image_problem(filename: str, error: ImageError) -> Problem:
    """The refusal of one image of a request."""
    return Problem(_STATUS[error.reason], f"`{filename}`: {error.message}", error.reason)


def no_file(request: Request, field: str) -> Problem:
    """The refusal of a request that should have brought files in a form's `field`."""
    if _is_form(request):
        return Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the request holds no file in the field `{field}`",
            "no_file",
        )
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"send the image as multipart/form-data, in the field `{field}`",
        "not_multipart",
    )


def problem_response(
    status: int,
    detail: str | None = None,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    document = ProblemDocument(
        title=HTTPStatus(status).phrase, status=status, detail=detail, reason=reason
    )
    content = document.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ClientDisconnect, _gone)
    # The server still logs the exception with its traceback: Starlette raises it again.
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return error.response()
    return problem_response(error.status_code, error.detail, headers=error.headers)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """What the OpenAPI document does not allow; a form has nothing but files in it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    # ("body", "images", 0), or ("body",) where there is none.
    field = str(first["loc"][:2][-1])
    if _is_form(request):
        return no_file(request, field).response()
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"`{field}`: {first['msg'].lower()}", "invalid"
    )


async def _gone(request: Request, error: Exception) -> JSONResponse:
    """Read by no one; without it every client that leaves would be logged as an error."""
    return problem_response(HTTPStatus.BAD_REQUEST, "the request ended early", "incomplete")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # uvicorn drops the connection after an exception; a client that is told opens a new one. This
    # answer passes by all middleware, hence the headers.
    headers = {**headers_for(request.url.path), "connection": "close"}
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, headers=headers)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")

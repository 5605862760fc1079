"""The web page at `/`, the API's documentation at `/docs`, and the files of both."""

import hashlib
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from skincli.serving.errors import Problem

router = APIRouter(include_in_schema=False)
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_SWAGGER: Final = ("swagger-ui-bundle.js", "swagger-ui.css")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `etag` stands for its content."""

    content: bytes
    media_type: str
    etag: str


@cache
def assets() -> dict[str, Asset]:
    """Every file that a client can get, by name: a table, so that no path is ever looked up."""
    page = files("skincli.serving") / "page"
    swagger = files("fastapi_swagger") / "resources"
    found = [*page.iterdir(), *(swagger / name for name in _SWAGGER)]
    return {file.name: _asset(file.name, file.read_bytes()) for file in found}


def _asset(name: str, content: bytes) -> Asset:
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    return Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@router.api_route("/", methods=["GET", "HEAD"])
async def page(if_none_match: Annotated[str, Header()] = "") -> Response:
    return _answer("index.html", if_none_match)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs(if_none_match: Annotated[str, Header()] = "") -> Response:
    return _answer("docs.html", if_none_match)


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def static(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    return _answer(name, if_none_match)


def _answer(name: str, if_none_match: str) -> Response:
    """The file, or 304 where the client has it. Raises Problem where there is none."""
    asset = assets().get(name)
    if asset is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such file", "not_found")
    # Browsers keep a copy and ask each time whether it still holds: an upgrade shows at once.
    headers = {"ETag": asset.etag, "Cache-Control": "no-cache"}
    if asset.etag in if_none_match:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)

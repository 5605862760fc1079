"""The ISIC Archive's API, version 2: a search in pages, and where an image's bytes are.

https://api.isic-archive.com/api/docs/swagger/ documents it.
"""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from skincli.config.data import IsicConfig
from skincli.data.download.answers import RefusedError
from skincli.data.download.asking import FEW, ask_json
from skincli.data.download.web import Web
from skincli.errors import DataError, SkincliError

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Images of a search, as the API describes them, and the address of the next page."""

    results: list[dict[str, Any]]
    next: str | None


def search_address(address: str, settings: IsicConfig) -> str:
    """The first page of a search. Raises DataError when nothing is searched for."""
    if not settings.query and not settings.collections:
        raise DataError(
            "data=isic needs to know what to search for",
            "set data.isic.collections=[212] or data.isic.query='diagnosis_3:\"Nevus\"'",
        )
    collections = ",".join(str(number) for number in settings.collections)
    wanted = {"query": settings.query, "collections": collections, "limit": str(_PAGE)}
    params = httpx.QueryParams({key: value for key, value in wanted.items() if value})
    return f"{address.rstrip('/')}/api/v2/images/search/?{params}"


def ask_page(web: Web, url: str, is_first: bool) -> Page:
    """One page of a search. Raises DataError for a search that is not understood."""
    try:
        tries = FEW if is_first else web.settings.attempts
        content = ask_json(web, url, "the list of images", tries)
        return Page(list(content["results"]), content.get("next"))
    except RefusedError as error:
        raise DataError(error.message, "check data.isic.query and data.isic.collections") from None
    except (KeyError, TypeError, AttributeError):
        raise SkincliError("the ISIC Archive's list of images has another form than v2") from None


def fresh_address(web: Web, isic_id: str) -> str | None:
    """Where an image's bytes are now, for some time; None when it is there no more."""
    url = f"{web.settings.isic.rstrip('/')}/api/v2/images/{isic_id}/"
    try:
        found = ask_json(web, url, isic_id, web.settings.attempts)["files"]["full"]["url"]
    except (RefusedError, KeyError, TypeError):
        return None
    return str(found)

"""The files of the page as they are sent: all of them, nothing else, and once."""

from pathlib import Path

import httpx
import pytest

import skincli.serving

PAGE = Path(skincli.serving.__file__).parent / "page"


def test_every_file_of_the_page_is_sent(client: httpx.Client) -> None:
    for file in PAGE.iterdir():
        answer = client.get(f"/static/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.headers["cache-control"] == "no-cache"
    assert client.get("/").content == (PAGE / "index.html").read_bytes()
    assert client.get("/docs").content == (PAGE / "docs.html").read_bytes()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/static/app.js", "text/javascript; charset=utf-8"),
        ("/static/page.css", "text/css; charset=utf-8"),
        ("/static/icons.svg", "image/svg+xml"),
    ],
)
def test_a_file_that_the_browser_has_is_not_sent_again(
    client: httpx.Client, path: str, media_type: str
) -> None:
    first = client.get(path)
    assert first.headers["content-type"] == media_type
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == httpx.codes.NOT_MODIFIED
    assert again.content == b""
    changed = client.get(path, headers={"If-None-Match": '"another"'})
    assert changed.content == first.content
    head = client.head(path)
    assert head.headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/none.js",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.js%00",
        "/redoc",
    ],
)
def test_nothing_else_is_sent(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"

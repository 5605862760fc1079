"""Headers on every kind of answer, names that the service answers to, and other sites' pages."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from live import client_of
from services import require
from uploads import encoded

from skincli.config.schema import Config
from skincli.config.serving import KeysConfig, ServeConfig
from skincli.serving.app import create_app
from skincli.serving.guards.hosts import names_of

JPEG = encoded("JPEG")
SITE = "https://clinic.example"
NOWHERE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
API = "default-src 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    f"connect-src 'self'; font-src 'self'; {NOWHERE}"
)
DOCS = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    f"img-src 'self' data:; connect-src 'self'; font-src 'self'; {NOWHERE}"
)


@pytest.fixture(scope="module")
def guarded(config: Config) -> Iterator[httpx.Client]:
    """One that asks for keys, lets one other site ask, and fails at `/broken`."""
    serve = replace(
        config.serve,
        cors_origins=[SITE],
        keys=KeysConfig(file="/nonexistent/keys.json", required="always"),
    )
    app = create_app(replace(config, serve=serve))

    @app.get("/docs/broken")
    def broken() -> None:
        raise RuntimeError("on purpose")

    with client_of(app) as client:
        yield client


def assert_guarded(answer: httpx.Response, status: int, policy: str) -> None:
    headers = answer.headers
    assert answer.status_code == status
    assert headers["content-security-policy"] == policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    if policy == API:
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status", "policy"),
    [
        ("GET", "/v1/model", 200, API),
        ("GET", "/metrics", 200, API),
        ("GET", "/healthz", 200, API),
        ("GET", "/openapi.json", 200, API),
        ("GET", "/nothing", 404, API),
        ("GET", "/v1/predict", 405, API),
        ("POST", "/v1/predict", 415, API),
        ("GET", "/", 200, PAGE),
        ("GET", "/static/app.js", 200, PAGE),
        ("GET", "/static/nothing", 404, PAGE),
        ("GET", "/docs", 200, DOCS),
    ],
)
def test_every_answer_has_the_headers(
    client: httpx.Client, method: str, path: str, status: int, policy: str
) -> None:
    assert_guarded(client.request(method, path), status, policy)


def test_answers_to_images_have_the_headers(client: httpx.Client) -> None:
    answer = client.post("/v1/predict", files={"images": JPEG})
    assert_guarded(answer, httpx.codes.OK, API)
    answer = client.post("/v1/predict", files={"images": bytes(3_000_001)})
    assert_guarded(answer, httpx.codes.REQUEST_ENTITY_TOO_LARGE, API)
    answer = client.post("/v1/predict", files={"images": b"roses"})
    assert_guarded(answer, httpx.codes.UNSUPPORTED_MEDIA_TYPE, API)


def test_refusals_of_the_guards_have_the_headers(guarded: httpx.Client) -> None:
    assert_guarded(guarded.get("/v1/model"), httpx.codes.UNAUTHORIZED, API)
    answer = guarded.get("/v1/model", headers={"x-api-key": "any"})
    assert_guarded(answer, httpx.codes.SERVICE_UNAVAILABLE, API)
    answer = guarded.get("/v1/model", headers={"host": "evil.example"})
    assert_guarded(answer, httpx.codes.MISDIRECTED_REQUEST, API)
    assert_guarded(guarded.get("/docs/broken"), httpx.codes.INTERNAL_SERVER_ERROR, DOCS)


# Names.


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:8000", "[::1]"])
def test_on_loopback_it_answers_to_the_names_of_loopback(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/model", headers={"host": host}).status_code == httpx.codes.OK


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_to_other_names_it_gives_nothing_but_its_health(client: httpx.Client, host: str) -> None:
    for path in ("/", "/v1/model", "/static/app.js", "/nothing"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["reason"] == "unknown_host"
        assert "serve.allowed_hosts" in answer.json()["detail"]
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"host": host}).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    ("host", "allowed", "names"),
    [
        ("localhost", [], {"localhost", "127.0.0.1", "::1"}),
        ("127.0.0.2", [], {"localhost", "127.0.0.1", "::1", "127.0.0.2"}),
        ("0.0.0.0", [], set()),
        ("0.0.0.0", ["Skin.Example.org"], {"skin.example.org"}),
        ("127.0.0.1", ["skin.example.org", "[2001:db8::1]"], {"skin.example.org", "2001:db8::1"}),
    ],
)
def test_names_come_from_the_settings(host: str, allowed: list[str], names: set[str]) -> None:
    assert names_of(ServeConfig(host=host, allowed_hosts=allowed)) == names


def test_without_keys_it_is_for_this_computer_wherever_it_listens(config: Config) -> None:
    with client_of(create_app(config), own_address()) as client:
        answer = client.get("/v1/model", headers={"host": "localhost"})
        assert_guarded(answer, httpx.codes.FORBIDDEN, API)
        assert answer.json()["reason"] == "not_local"
    wide = replace(config, serve=replace(config.serve, keys=KeysConfig(required="never")))
    with client_of(create_app(wide), own_address()) as client:
        answer = client.get("/v1/model", headers={"host": "localhost"})
        assert answer.status_code == httpx.codes.OK


def own_address() -> str:
    """An address of this computer that others may reach. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
        except OSError:
            address = ""
    require(address, "a network")
    return address


# Other sites.


def preflight(client: httpx.Client, origin: str) -> httpx.Response:
    asked = {"access-control-request-method": "POST"}
    asked["access-control-request-headers"] = "authorization,content-type"
    return client.options("/v1/predict", headers={"origin": origin, **asked})


def test_no_other_site_may_ask_by_default(client: httpx.Client) -> None:
    answer = client.get("/v1/model", headers={"origin": SITE})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert preflight(client, SITE).status_code == httpx.codes.METHOD_NOT_ALLOWED


def test_a_site_that_is_named_may_ask_and_its_preflight_needs_no_key(guarded: httpx.Client) -> None:
    answer = preflight(guarded, SITE)
    assert_guarded(answer, httpx.codes.OK, API)
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    refused = guarded.get("/v1/model", headers={"origin": SITE})
    assert refused.status_code == httpx.codes.UNAUTHORIZED
    assert refused.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize("origin", ["https://evil.example", f"{SITE}.evil.example", "null"])
def test_no_other_site_is_let_in_beside_it(guarded: httpx.Client, origin: str) -> None:
    answer = preflight(guarded, origin)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "access-control-allow-origin" not in answer.headers
    answer = guarded.get("/", headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"]
)
def test_what_a_page_of_another_site_sends_is_not_looked_at(
    client: httpx.Client, origin: str
) -> None:
    headers = {"origin": origin}
    answer = client.post("/v1/predict", files={"images": JPEG}, headers=headers)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert answer.json()["reason"] == "other_site"
    assert client.get("/v1/model", headers=headers).status_code == httpx.codes.OK


def test_its_own_page_may_send(client: httpx.Client) -> None:
    headers = {"origin": str(client.base_url).rstrip("/")}
    answer = client.post("/v1/predict", files={"images": JPEG}, headers=headers)
    assert answer.status_code == httpx.codes.OK


@pytest.mark.parametrize("charset", ["punycode", "utf-7", "unicode-escape", "utf-16"])
def test_forms_in_rare_encodings_are_refused_before_they_are_read(
    client: httpx.Client, charset: str
) -> None:
    headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    answer = client.post("/v1/predict", content=b"--x--", headers=headers)
    assert answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE
    assert answer.json()["reason"] == "charset"


def test_what_is_no_image_may_be_small_only(client: httpx.Client) -> None:
    answer = client.post("/v1/feedback", content=b"[" + b"[]," * 30_000 + b"[]]")
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert answer.json()["reason"] == "too_many_bytes"

"""Keys: made once, kept as hashes, asked for, revoked while the server runs."""

import hashlib
import json
import re
import secrets
import socket
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from commands import SKINCLI, skincli
from live import PATIENCE, client_of, config_for, free_port, process, wait_until_ready
from uploads import encoded

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.config.serving import KeysConfig, KeysRequired, ServeConfig
from skincli.errors import UsageError
from skincli.serving.keys import key as keys_module
from skincli.serving.keys.file import read_keys
from skincli.serving.keys.issuing import create_key, list_keys, require_keys, revoke_key
from skincli.serving.keys.key import matching

JPEG = encoded("JPEG")
GUARDED = (
    ("GET", "/v1/model"),
    ("POST", "/v1/predict"),
    ("POST", "/v1/feedback"),
    ("POST", "/model_inference"),
    ("GET", "/model_info"),
    ("GET", "/metrics"),
    ("GET", "/v1/added-tomorrow"),
    ("OPTIONS", "/v1/predict"),
)
OPEN = ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/static/app.js")


def asking(bundle: Bundle, file: Path) -> Config:
    config = config_for(bundle.folder)
    serve = replace(config.serve, keys=KeysConfig(file=str(file), required="always"))
    return replace(config, serve=serve)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def key(file: Path) -> str:
    return create_key(file, "the-tests", None).key


@pytest.fixture(scope="module")
def closed(bundle: Bundle, file: Path, key: str) -> Iterator[httpx.Client]:
    """A client of a server that asks for keys; it shows none by itself."""
    with client_of(asking(bundle, file)) as client:
        yield client


def with_key(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


# The file and the command.


def test_a_key_is_printed_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    done = skincli(tmp_path, "keys", "create", "clinic", "--per-minute", "30")
    secret = done.out.strip()
    assert re.fullmatch(r"skincli_[A-Za-z0-9_-]{43}", secret)
    assert secret not in done.err
    file = tmp_path / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [kept] = json.loads(file.read_text())["keys"]
    assert kept.pop("created").endswith("Z")
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    assert kept == {"name": "clinic", "sha256": hashed, "per_minute": 30}
    shown = skincli(tmp_path, "keys", "list", "--json")
    assert secret not in shown.out
    assert [(k["name"], k["id"], k["per_minute"]) for k in shown.data] == [
        ("clinic", hashed[:8], 30)
    ]
    assert skincli(tmp_path, "keys", "revoke", hashed[:8]).out == f"Revoked clinic ({hashed[:8]})\n"
    assert json.loads(file.read_text())["keys"] == []


def test_json_of_a_new_key(tmp_path: Path) -> None:
    made = skincli(tmp_path, "keys", "create", "a", "--json", "serve.keys.file=sub/k.json").data
    assert set(made) == {"id", "name", "created", "per_minute", "key"}
    assert matching(read_keys(tmp_path / "sub" / "k.json"), made["key"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "clinic"), "already"),
        (("create", "a b"), "cannot be the name"),
        (("revoke", "nobody"), "no key `nobody`"),
    ],
)
def test_what_cannot_be_done_leaves_the_file_as_it_is(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    file = tmp_path / "keys.json"
    create_key(file, "clinic", None)
    before = file.read_bytes()
    done = skincli(tmp_path, "keys", *words, code=2)
    assert message in done.err
    assert done.out == ""
    assert file.read_bytes() == before


def test_keys_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: create_key(file, f"k{n}", None), range(24)))
    assert {entry.name for entry in list_keys(file)} == {f"k{n}" for n in range(24)}
    assert len({one.key for one in made}) == 24
    assert not list(tmp_path.glob("*.partial"))


DAMAGE: dict[str, Callable[[str], str]] = {
    "cut": lambda text: text[:-20],
    "empty": lambda text: "",
    "other": lambda text: "[]",
    "version": lambda text: text.replace('"version": 1', '"version": 2'),
    "short": lambda text: re.sub(r'"sha256": "..', '"sha256": "', text),
    "unknown": lambda text: text.replace('"name"', '"admin": true, "name"'),
    "text": lambda text: text.replace('"per_minute": 5', '"per_minute": "5"'),
    "negative": lambda text: text.replace('"per_minute": 5', '"per_minute": -1'),
    "twice": lambda text: re.sub(r"(\{\s*\"name\".*?\})", r"\1, \1", text, flags=re.DOTALL),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "keys.json"
    made = create_key(file, "clinic", 5)
    damaged = DAMAGE[damage](file.read_text())
    assert damaged != file.read_text()
    file.write_text(damaged)
    for use in (read_keys, list_keys, lambda f: create_key(f, "other", None)):
        with pytest.raises(UsageError, match="is damaged") as caught:
            use(file)
        assert hashlib.sha256(made.key.encode()).hexdigest() not in str(caught.value)
    assert file.read_text() == damaged


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o602])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    create_key(file, "clinic", None)
    file.chmod(mode)
    with pytest.raises(UsageError, match="others than its owner") as caught:
        read_keys(file)
    assert "chmod 600" in caught.value.hint


def test_every_hash_is_compared_in_constant_time(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "keys.json"
    made = [create_key(file, f"k{n}", None).key for n in range(3)]
    compared: list[str] = []

    def counting(kept: str, offered: str) -> bool:
        compared.append(kept)
        return secrets.compare_digest(kept, offered)

    double = type("Secrets", (), {"compare_digest": staticmethod(counting)})
    monkeypatch.setattr(keys_module, "secrets", double)
    found = matching(read_keys(file), made[0])
    assert found is not None
    assert found.name == "k0"
    assert len(compared) == 3
    assert matching(read_keys(file), made[0] + "x") is None
    assert len(compared) == 6


@pytest.mark.parametrize(
    ("host", "required", "asks"),
    [
        ("127.0.0.1", "auto", False),
        ("0.0.0.0", "auto", True),
        ("127.0.0.1", "always", True),
        ("0.0.0.0", "never", False),
    ],
)
def test_a_server_that_asks_for_keys_starts_with_one(
    tmp_path: Path,
    host: str,
    required: KeysRequired,
    asks: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "keys.json"
    config = ServeConfig(host=host, keys=KeysConfig(file=str(file), required=required))
    if asks:
        with pytest.raises(UsageError, match="holds none") as caught:
            require_keys(config)
        assert "skincli keys create NAME" in caught.value.hint
        create_key(file, "clinic", None)
    require_keys(config)
    assert ("Whoever reaches 0.0.0.0" in caplog.text) == (required == "never")


# The service.


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nothing_is_answered_without_a_key(closed: httpx.Client, method: str, path: str) -> None:
    for headers, reason in (
        ({}, "no_key"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, "no_key"),
        ({"authorization": "Bearer"}, "no_key"),
        (with_key("skincli_" + "A" * 43), "unknown_key"),
        ({"x-api-key": "guessed"}, "unknown_key"),
    ):
        answer = closed.request(method, path, headers=headers)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["reason"] == reason
        assert answer.json()["status"] == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_asks_for_no_key(closed: httpx.Client, path: str) -> None:
    assert closed.get(path).status_code == httpx.codes.OK


def test_both_headers_take_a_key(closed: httpx.Client, key: str) -> None:
    for headers in (with_key(key), {"x-api-key": key}, {"authorization": f"bearer {key}"}):
        assert closed.get("/v1/model", headers=headers).status_code == httpx.codes.OK
        answer = closed.post("/v1/predict", files={"images": JPEG}, headers=headers)
        assert answer.status_code == httpx.codes.OK
    assert closed.get(f"/v1/model?key={key}").status_code == httpx.codes.UNAUTHORIZED


def test_keys_count_and_cease_to_count_while_the_server_runs(
    closed: httpx.Client, file: Path
) -> None:
    secret = skincli(file.parent, "keys", "create", "late").out.strip()
    assert closed.get("/v1/model", headers=with_key(secret)).status_code == httpx.codes.OK
    skincli(file.parent, "keys", "revoke", "late")
    answer = closed.get("/v1/model", headers=with_key(secret))
    assert answer.status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize("fault", ["damaged", "gone", "open to others"])
def test_nobody_is_let_in_while_the_file_cannot_be_trusted(
    closed: httpx.Client, file: Path, key: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = file.read_text()
    if fault == "damaged":
        file.write_text(content[:-9])
    elif fault == "gone":
        file.unlink()
    else:
        file.chmod(0o644)
    try:
        for _ in range(3):
            answer = closed.get("/v1/model", headers=with_key(key))
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert answer.json()["reason"] == "keys_away"
            assert str(file) not in answer.text
        assert closed.get("/v1/model").status_code == httpx.codes.UNAUTHORIZED
        assert closed.get("/healthz").status_code == httpx.codes.OK
    finally:
        file.write_text(content)
        file.chmod(0o600)
    assert closed.get("/v1/model", headers=with_key(key)).status_code == httpx.codes.OK
    told = [record for record in caplog.records if "Nobody is let in" in record.message]
    assert len(told) == 1
    assert key not in caplog.text


def test_the_body_of_a_stranger_is_not_read(closed: httpx.Client) -> None:
    head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
    head += "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    address = (closed.base_url.host, closed.base_url.port)
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)
    # The server asked for no byte of it ("100 Continue") before it refused.
    assert answer.startswith(b"HTTP/1.1 401 ")


def test_the_document_says_which_routes_ask_for_a_key(
    closed: httpx.Client, client: httpx.Client
) -> None:
    document = closed.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            asked = [set(each) for each in operation.get("security", [])]
            open_path = path in ("/healthz", "/readyz")
            assert asked == ([] if open_path else [{"bearer"}, {"header"}]), path
    assert "securitySchemes" not in client.get("/openapi.json").json()["components"]


def test_a_key_is_found_in_no_log_no_metric_and_no_journal(bundle: Bundle, tmp_path: Path) -> None:
    made = create_key(tmp_path / "keys.json", "clinic", 1)
    guessed = "skincli_guessed-by-a-stranger"
    port = free_port()
    words = ["serve", f"serve.model={bundle.folder}", f"serve.port={port}"]
    words += ["serve.keys.required=always", "serve.journal.uri=sqlite:///told.db"]
    url = f"http://127.0.0.1:{port}"
    from_here = str(SKINCLI)
    with process([from_here, *words], tmp_path) as server:
        wait_until_ready(url)
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            statuses = [
                client.post("/v1/predict", files={"images": JPEG}, headers=with_key(k)).status_code
                for k in (made.key, guessed, made.key)
            ]
            metrics = client.get("/metrics", headers=with_key(made.key)).text
        server.terminate()
        _, log = server.communicate(timeout=PATIENCE)
    assert statuses == [200, 401, 429]
    with sqlite3.connect(tmp_path / "told.db") as journal:
        assert journal.execute("SELECT count(*) FROM predictions").fetchone() == (1,)
    journal.close()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (made.key, guessed):
        assert secret not in log
        assert secret not in metrics
        assert secret.encode() not in files


def test_looking_for_a_change_costs_little(tmp_path: Path) -> None:
    from skincli.serving.keys.ring import KeyRing

    file = tmp_path / "keys.json"
    made = [create_key(file, f"k{n}", None) for n in range(20)]
    ring = KeyRing(file)
    ring.find(made[0].key)
    began = time.perf_counter()
    for _ in range(200):
        assert ring.find(made[-1].key)
    assert (time.perf_counter() - began) / 200 < 0.005
    revoke_key(file, "k19")
    assert ring.find(made[-1].key) is None

"""`predict --server` against servers that are busy, broken, slow, or no such servers at all."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier

import pytest
from commands import skincli, spawn
from standins.faults import PAGE, Fault, answers, cut, stall
from standins.scorer import Scorer, answer, encoded
from tls_proxy import tls_proxy

from skincli import patience
from skincli.config.schema import Config
from skincli.errors import ConfigError, SkincliError, UsageError
from skincli.patience import Patience
from skincli.prediction.remote import address as address_module
from skincli.prediction.remote import asking, sending
from skincli.prediction.remote.address import KEY_VARIABLE, open_client
from skincli.prediction.remote.predict import Server, predict_at
from skincli.prediction.rows import PredictResult
from skincli.progress import Silent

KEY = "skincli_a-key-of-the-tests"
PNG = "data:image/png;base64,"
PREDICT, MODEL = "/v1/predict", "/v1/model"
pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setattr(patience, "PATIENCE", Patience(first=0.01, longest=0.02))


@pytest.fixture
def server() -> Iterator[Scorer]:
    with Scorer() as scorer:
        yield scorer


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Six files; the stand-in does not look at what is in them."""
    folder = tmp_path / "images"
    folder.mkdir()
    paths = [folder / f"{n}.jpg" for n in range(6)]
    for path in paths:
        path.write_bytes(f"image {path.stem}".encode())
    return paths


def ask(
    server: Scorer | str, images: list[Path], concurrency: int = 3, heatmaps: Path | None = None
) -> PredictResult:
    address = server if isinstance(server, str) else server.url
    at = Server(address=address, concurrency=concurrency, allow_plain_http=False)
    return predict_at(at, Config(), images, Silent(), heatmaps)


def errors(result: PredictResult) -> list[str]:
    return [row.error for row in result.rows if row.error is not None]


# What passes.


def test_a_row_for_each_image_in_their_order(server: Scorer, images: list[Path]) -> None:
    result = ask(server, images)
    assert [row.path for row in result.rows] == images
    assert errors(result) == []
    assert (result.model, result.version, result.bundle_digest) == ("stand-in", "3", "a" * 64)
    assert [info.code for info in result.classes] == ["benign", "malignant"]
    assert result.rows[0].probability == 0.75
    assert len(server.of(PREDICT)) == 6
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    "fault",
    [answers(503), answers(502), answers(504), answers(429), answers(408), cut(0)],
    ids=["503", "502", "504", "429", "408", "cut"],
)
@pytest.mark.parametrize("path", [PREDICT, MODEL])
def test_what_passes_is_asked_again(
    server: Scorer, images: list[Path], path: str, fault: Fault
) -> None:
    server.faults[path] = [fault] * 2
    assert errors(ask(server, images)) == []
    assert len(server.of(PREDICT)) == 6 + 2 * (path == PREDICT)


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_server_asks_for_is_kept(
    server: Scorer, images: list[Path], status: int
) -> None:
    server.faults[PREDICT] = [answers(status, "1")]
    began = time.monotonic()
    assert errors(ask(server, images[:1])) == []
    assert time.monotonic() - began >= 1.0


def test_a_busy_server_is_asked_longer_than_a_broken_one(
    server: Scorer, images: list[Path]
) -> None:
    server.faults[PREDICT] = [answers(429), answers(503)] * 10
    assert errors(ask(server, images[:1])) == []


def test_a_server_that_falls_silent_is_asked_again(
    server: Scorer, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_module, "_SILENCE_SECONDS", 0.5)
    server.faults[PREDICT] = [stall(0), None, stall(0)]
    assert errors(ask(server, images)) == []
    assert len(server.of(PREDICT)) == 8


def test_an_answer_that_drips_in_is_not_waited_for(
    server: Scorer, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_ANSWER_SECONDS", 0.3)
    server.dripping = b"image 2"
    [error] = errors(ask(server, images))
    assert "not complete after 0.3 s" in error


def test_no_more_images_are_asked_at_once_than_allowed(server: Scorer, images: list[Path]) -> None:
    server.together = Barrier(3)  # three have to come before any is answered
    assert errors(ask(server, images, concurrency=3)) == []
    assert server.most_at_once == 3


# One bad image.


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_image_that_the_server_cannot_bear_is_a_row_with_its_error(
    server: Scorer, images: list[Path], concurrency: int
) -> None:
    images[2].write_bytes(server.deadly)
    result = ask(server, images, concurrency)
    [error] = errors(result)
    assert "the connection broke off" in error
    assert result.rows[2].error == error
    assert result.rows[2].code is None


@pytest.mark.parametrize("status", [400, 413, 415, 422, 500])
def test_a_refused_image_is_a_row_and_not_asked_again(
    server: Scorer, images: list[Path], status: int
) -> None:
    server.faults[PREDICT] = [answers(status)]
    assert errors(ask(server, images)) == [f"the reason for {status}"]
    assert len(server.of(PREDICT)) == 6


def test_a_file_beyond_the_limit_is_not_sent(server: Scorer, images: list[Path]) -> None:
    with images[0].open("wb") as stream:
        stream.truncate(10**12)
    [error] = errors(ask(server, images))
    assert "1,000,000,000,000 bytes" in error
    assert len(server.of(PREDICT)) == 5


UNUSABLE = {
    "garbage": b"\x00\xff{",
    "another": b"[]",
    "empty": b"",
    "missing": encoded({"model": {"digest": "a" * 64}, "predictions": []}),
    "two": encoded({**answer(), "predictions": answer()["predictions"] * 2}),
    "not a number": encoded(answer(novelty=float("nan"))),
    "above 1": encoded(answer(probabilities={"benign": 1.5, "malignant": 0.25})),
    "text": encoded(answer(malignant_probability="0.25")),
    "other classes": encoded(answer(probabilities={"nv": 0.75, "mel": 0.25})),
    "unknown code": encoded(answer(diagnosis={"code": "x", "name": "y"})),
    "unknown set": encoded(answer(conformal_set=["x"])),
    "long": encoded(answer(diagnosis={"code": "benign", "name": "y" * 10_000})),
    "huge": encoded(answer()) + b" " * 16_100_000,
}


@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_is_not_believed_unchecked(
    server: Scorer, images: list[Path], reply: bytes
) -> None:
    server.replies = [reply]
    [error] = errors(ask(server, images))
    assert "the server's answer" in error
    assert len(error) < 300


@pytest.mark.parametrize(
    "heatmap",
    [
        None,
        "",
        "https://evil.example/x.png",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,é",
    ],
)
def test_a_heat_map_is_a_picture_or_an_error(
    server: Scorer, images: list[Path], tmp_path: Path, heatmap: str | None
) -> None:
    server.replies = [encoded(answer(heatmap=heatmap))]
    [error] = errors(ask(server, images[:1], heatmaps=tmp_path / "maps"))
    assert "heat map" in error
    assert list((tmp_path / "maps").iterdir()) == []
    assert server.of(PREDICT)[0].query == {"heatmap": "true"}


# Another model meanwhile.


def test_a_table_is_of_one_model(server: Scorer, images: list[Path]) -> None:
    server.digests = ["a" * 64] * 3 + ["b" * 64]
    result = ask(server, images, concurrency=1)
    assert errors(result) == []
    assert result.bundle_digest == "b" * 64
    assert all(row.code == "benign" for row in result.rows)
    # The three that the earlier model answered were asked about again, and the one that told.
    assert len(server.of(PREDICT)) == 3 + 1 + 6


def test_a_model_that_changes_without_end_is_an_error(server: Scorer, images: list[Path]) -> None:
    server.digests = [f"{n:064x}" for n in range(100)]
    with pytest.raises(SkincliError, match="again and again"):
        ask(server, images)


# No server.


def test_a_server_that_is_not_there(images: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_FIRST_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SkincliError, match=r"does not answer: no connection") as caught:
        ask(f"http://127.0.0.1:{port}", images)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("status", [503, 504])
def test_a_server_that_goes_away(
    server: Scorer, images: list[Path], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(asking, "_AWAY_SECONDS", 0.2)
    server.faults[PREDICT] = [None, None, *[answers(status)] * 10_000]
    server.faults["/healthz"] = [answers(status)] * 10_000
    with pytest.raises(SkincliError, match=f"does not answer: the reason for {status}"):
        ask(server, images)


def test_a_server_that_only_ever_says_too_many(
    server: Scorer, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_LIMITED_SECONDS", 0.2)
    server.faults[PREDICT] = [answers(429)] * 10_000
    with pytest.raises(SkincliError, match="the reason for 429"):
        ask(server, images)


@pytest.mark.parametrize("fault", [PAGE, answers(404), answers(302), answers(403)])
def test_something_else_than_the_service(server: Scorer, images: list[Path], fault: Fault) -> None:
    server.faults[MODEL] = [fault]
    with pytest.raises(SkincliError) as caught:
        ask(server, images)
    assert "`skincli serve`" in caught.value.hint
    assert server.of(PREDICT) == []


def test_a_key_that_is_not_known_is_no_row_but_the_end(server: Scorer, images: list[Path]) -> None:
    server.faults[PREDICT] = [None, answers(401)]
    with pytest.raises(UsageError, match="the reason for 401") as caught:
        ask(server, images, concurrency=1)
    assert KEY_VARIABLE in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "ftp://x",
        "http://",
        "https://u:secret@x",
        "https://x?a=b",
        "https://x#a",
        "",
    ],
)
def test_an_address_that_is_none(images: list[Path], address: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(address, images)
    assert "secret" not in caught.value.message


# The key.


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    server: Scorer, images: list[Path], tmp_path: Path
) -> None:
    environ = {KEY_VARIABLE: KEY, "HTTP_PROXY": "", "http_proxy": ""}
    done = skincli(
        tmp_path, "predict", "images", "--server", server.url, "--json", "--debug", **environ
    )
    assert {a.headers["authorization"] for a in server.asked} == {f"Bearer {KEY}"}
    assert len(done.data["rows"]) == 6
    server.faults[MODEL] = [answers(401)]
    words = ("predict", "images", "--server", server.url, "--debug")
    failed = skincli(tmp_path, *words, code=2, **environ)
    assert KEY not in done.out + done.err + failed.out + failed.err


def test_neither_key_nor_image_follows_a_redirect(
    server: Scorer, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with Scorer() as other:
        server.moved_to = other.url
        with pytest.raises(UsageError, match="answers 307"):
            ask(server, images)
        assert other.asked == []


@pytest.mark.parametrize("key", ["", KEY])
def test_nothing_travels_in_the_clear_unless_told(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(UsageError, match="reads the images") as caught:
        open_client("http://192.0.2.1", 1, allow_plain_http=False)
    assert "--allow-plain-http" in caught.value.hint
    assert ("and the key" in caught.value.message) == bool(key)
    assert KEY not in str(caught.value)
    for address, allowed in (
        ("http://192.0.2.1", True),
        ("https://192.0.2.1", False),
        ("http://localhost:1", False),
        ("http://127.1.2.3", False),
        ("http://[::1]:1", False),
    ):
        open_client(address, 1, allowed).close()


def test_a_key_of_impossible_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a b\r\nx-evil: 1")
    with pytest.raises(ConfigError, match=KEY_VARIABLE):
        open_client("http://127.0.0.1", 1, allow_plain_http=False)


def test_only_a_trusted_certificate_is_shown_the_key(
    server: Scorer, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with tls_proxy(server.url, "localhost", tmp_path) as (address, certificate):
        with pytest.raises(UsageError, match="is not trusted") as caught:
            ask(address, images)
        assert server.asked == []
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert errors(ask(address, images)) == []


# The command.


def test_ctrl_c_ends_at_once_and_leaves_nothing(
    server: Scorer, images: list[Path], tmp_path: Path
) -> None:
    server.faults[PREDICT] = [None, stall(0), stall(0), stall(0)]
    words = ("predict", "images", "--server", server.url, "--csv", "t.csv", "--concurrency", "3")
    process = spawn(tmp_path, *words)
    deadline = time.monotonic() + 60
    while len(server.of(PREDICT)) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    told = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - told < 10
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_the_exit_code_is_that_of_a_local_predict(
    server: Scorer, images: list[Path], tmp_path: Path
) -> None:
    server.faults[PREDICT] = [answers(415)] * 6
    done = skincli(tmp_path, "predict", "images", "--server", server.url, "--json", code=1)
    assert [row["error"] for row in done.data["rows"]] == ["the reason for 415"] * 6
    done = skincli(tmp_path, "predict", "images", "--server", server.url, "--model", "m", code=2)
    assert "a server has its own model" in done.err

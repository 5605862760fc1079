"""What an answer leaves behind: a line in the journal, numbers for Prometheus; and feedback."""

import base64
import io
import sqlite3
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
from live import client_of
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from uploads import encoded

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.config.serving import JournalConfig


def predict(client: httpx.Client, image: bytes, **query: str) -> dict:
    answer = client.post("/v1/predict", files={"images": image}, params=query)
    assert answer.status_code == httpx.codes.OK, answer.text
    [prediction] = answer.json()["predictions"]
    return prediction


def sample(client: httpx.Client, name: str, **labels: str) -> float:
    found = [
        one.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    ]
    return sum(found)


def with_journal(config: Config, uri: str, **settings: bool) -> Config:
    return replace(config, serve=replace(config.serve, journal=JournalConfig(uri=uri, **settings)))


def test_a_prediction_and_what_was_found_are_in_the_journal(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with client_of(with_journal(config, f"sqlite:///{path}")) as client:
        told = predict(client, encoded("PNG"))
        given = {"prediction_id": told["id"], "diagnosis": "mel"}
        answer = client.post("/v1/feedback", json=given)
        assert answer.status_code == httpx.codes.CREATED
        for wrong, status in (
            ({**given, "prediction_id": "0" * 32}, 404),
            ({**given, "diagnosis": "flu"}, 422),
            ({**given, "prediction_id": "' or 1=1"}, 422),
            ({}, 422),
        ):
            refused = client.post("/v1/feedback", json=wrong)
            assert refused.status_code == status, refused.text
            assert refused.headers["content-type"] == "application/problem+json"
    with sqlite3.connect(path) as connection:
        joined = connection.execute(
            "select p.diagnosis, malignant_probability, image, f.diagnosis "
            "from predictions p join feedback f on f.prediction_id = p.id"
        ).fetchall()
    assert joined == [(told["diagnosis"]["code"], told["malignant_probability"], None, "mel")]


def test_images_are_kept_only_if_wanted(config: Config, tmp_path: Path) -> None:
    path, image = tmp_path / "j.db", encoded("PNG")
    with client_of(with_journal(config, f"sqlite:///{path}", keep_images=True)) as client:
        predict(client, image)
    with sqlite3.connect(path) as connection:
        assert connection.execute("select image from predictions").fetchall() == [(image,)]


def test_without_a_journal_answers_are_the_same_and_feedback_is_refused(config: Config) -> None:
    with client_of(with_journal(config, "none")) as client:
        told = predict(client, encoded("PNG"))
        refused = client.post(
            "/v1/feedback", json={"prediction_id": told["id"], "diagnosis": "mel"}
        )
        assert refused.json()["reason"] == "no_journal"


def test_an_image_may_be_the_body(client: httpx.Client) -> None:
    image = encoded("JPEG")
    answer = client.post("/v1/predict", content=image, headers={"content-type": "image/jpeg"})
    [told] = answer.json()["predictions"]
    assert told["probabilities"] == predict(client, image)["probabilities"]
    assert told["filename"] == "image 1"


def test_a_heat_map_is_a_png_that_is_only_there_if_wanted(
    client: httpx.Client, bundle: Bundle
) -> None:
    image = encoded("PNG", (300, 300))
    assert predict(client, image)["heatmap"] is None
    told = predict(client, image, heatmap="true")
    shown = {}
    for name, kind in {"picture": "jpeg", "heatmap": "png"}.items():
        head, data = told[name].split(",")
        assert head == f"data:image/{kind};base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as drawn:
            assert drawn.size == (256, 256)
            shown[name] = np.asarray(drawn).astype(int)
    # The heat lies over the same region, and leaves where there is none of it as it was.
    difference = np.abs(shown["picture"] - shown["heatmap"]).max(axis=-1)
    assert np.percentile(difference, 5) < 60 < difference.max()
    assert told["timings"]["decode_ms"] > 0


def test_prometheus_is_told_of_answers_and_refusals(client: httpx.Client, bundle: Bundle) -> None:
    image = encoded("PNG", seed=3)
    wanted = {"route": "/v1/predict", "status": "200"}
    before = sample(client, "skincli_requests_total", **wanted)
    code = predict(client, image)["diagnosis"]["code"]
    assert sample(client, "skincli_requests_total", **wanted) == before + 1
    assert sample(client, "skincli_predictions_total", diagnosis=code) >= 1
    client.get("/v1/../../etc/passwd")
    assert sample(client, "skincli_requests_total", route="(none)", status="404") >= 1
    assert "passwd" not in client.get("/metrics").text
    assert sample(client, "skincli_model", digest=bundle.digest) == 1
    assert sample(client, "skincli_stage_seconds_count", stage="network") >= 1
    assert sample(client, "skincli_requests_under_way") == 1  # this one

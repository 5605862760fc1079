"""What the server says of its model and of itself."""

import asyncio
from pathlib import Path

import httpx
from uploads import encoded

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.serving.app import create_app


def test_the_model_is_described_without_its_config(client: httpx.Client, bundle: Bundle) -> None:
    described = client.get("/v1/model").json()
    spec = bundle.spec
    assert described["digest"] == bundle.digest
    assert described["version"] is None
    assert described["task"] == spec.task
    assert described["image_size"] == spec.image_size
    assert described["operating_point"] == spec.operating_point
    assert described["temperature"] == spec.temperature
    assert described["synthetic"] is spec.lineage.synthetic
    assert (described["precision"], described["provider"]) == ("float32", "CPUExecutionProvider")
    assert described["classes"] == [
        {"code": info.code, "name": info.name, "malignant": info.malignant} for info in spec.classes
    ]
    assert described["lineage"]["dataset_fingerprint"] == spec.lineage.dataset_fingerprint
    assert "config" not in described["lineage"]


def test_the_earlier_routes_answer_in_their_shape(client: httpx.Client) -> None:
    image = encoded("JPEG")
    (now,) = client.post("/v1/predict", files={"images": image}).json()["predictions"]
    earlier = client.post("/model_inference", files={"file": image}).json()
    assert earlier == {
        "result": now["diagnosis"]["name"],
        "certainty": max(now["probabilities"].values()),
    }
    assert client.get("/model_info").json() == {"model_info": client.get("/v1/model").json()}


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "registry": "not followed"}


def test_the_server_lives_but_is_not_ready_until_the_model_is_loaded(config: Config) -> None:
    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(config))  # which does not start the app
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get(path) for path in ("/healthz", "/readyz", "/v1/model")]

    alive, ready, model = asyncio.run(answers())
    assert alive.status_code == httpx.codes.OK
    for answer in (ready, model):
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.json()["reason"] == "not_ready"


def test_openapi_lists_the_routes_and_the_refusals(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/predict",
        "/v1/feedback",
        "/v1/model",
        "/metrics",
        "/healthz",
        "/readyz",
        "/model_inference",
        "/model_info",
    }
    responses = document["paths"]["/v1/predict"]["post"]["responses"]
    assert set(responses) == {"200", "4XX", "503"}
    assert "application/problem+json" in responses["4XX"]["content"]
    assert client.get("/docs").status_code == httpx.codes.OK


def test_a_config_is_composed_from_the_folder_when_none_is_given(
    bundle: Bundle, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "skincli.yaml").write_text("serve:\n  limits:\n    body_megabytes: 0.001\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKINCLI__SERVE__MODEL", str(bundle.folder))

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/v1/predict", content=bytes(1001))

    assert "1,000 bytes allowed" in asyncio.run(answer()).json()["detail"]

"""Good images are answered, and with what the model says of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import httpx
import numpy as np
import pytest
from live import client_of, config_for
from uploads import black_png, encoded

from skincli.bundle import Bundle, seal
from skincli.config.schema import Config
from skincli.imaging import Limits, read_input
from skincli.inference.engine import Classifier

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")


def predictions(client: httpx.Client, *images: bytes) -> list[dict]:
    files = [("images", (f"{n}.img", image)) for n, image in enumerate(images)]
    answer = client.post("/v1/predict", files=files)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()["predictions"]


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_supported_format_is_answered(client: httpx.Client, format_name: str) -> None:
    (prediction,) = predictions(client, encoded(format_name))
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_the_answer_holds_what_the_model_says_of_each_image_in_order(
    client: httpx.Client, bundle: Bundle, config: Config
) -> None:
    images = [encoded("PNG", seed=seed) for seed in range(5)]
    inputs = [
        read_input(image, bundle.spec.image_size, bundle.spec.crop, Limits.of(config.image))
        for image in images
    ]
    expected = Classifier(bundle).score(np.stack(inputs))

    answered = predictions(client, *images)

    codes = [info.code for info in bundle.spec.classes]
    names = {info.code: info.name for info in bundle.spec.classes}
    assert [p["filename"] for p in answered] == [f"{n}.img" for n in range(5)]
    for row, prediction in enumerate(answered):
        probabilities = expected.probabilities[row]
        assert list(prediction["probabilities"]) == codes
        assert list(prediction["probabilities"].values()) == pytest.approx(
            probabilities.tolist(), abs=1e-5
        )
        assert prediction["malignant_probability"] == pytest.approx(
            expected.malignant[row], abs=1e-5
        )
        top = codes[int(probabilities.argmax())]
        assert prediction["diagnosis"] == {"code": top, "name": names[top]}
        likely = [c for c, inside in zip(codes, expected.conformal[row], strict=True) if inside]
        assert prediction["conformal_set"] == likely
        assert prediction["novelty"] == pytest.approx(expected.novelty[row], abs=1e-5)
        assert prediction["abstain"] == (prediction["abstain_reason"] is not None)


def test_the_answer_says_which_model_and_that_it_is_no_device(
    client: httpx.Client, bundle: Bundle
) -> None:
    answer = client.post("/v1/predict", files={"images": encoded("JPEG")}).json()
    # The folder it was loaded from stays private.
    name = bundle.spec.lineage.run_name
    assert answer["model"] == {"name": name, "version": None, "digest": bundle.digest}
    assert "not a medical device" in answer["notice"]


@pytest.mark.parametrize(("operating_point", "malignant"), [(0.0, True), (1.1, False)])
def test_malignant_is_decided_at_the_operating_point(
    bundle: Bundle, tmp_path: Path, operating_point: float, malignant: bool
) -> None:
    folder = copytree(bundle.folder, tmp_path / "bundle")
    trained_on = {"key": "", "files": [], "lesions": []}
    seal(folder, replace(bundle.spec, operating_point=operating_point), trained_on)
    with client_of(config_for(folder)) as client:
        assert predictions(client, encoded("JPEG"))[0]["malignant"] is malignant


def test_real_photographs_are_answered(client: httpx.Client, real_data: Path) -> None:
    lesions = sorted((real_data / "ham10000-600x450").glob("*.jpg"))[:6]
    others = sorted((real_data / "not-lesions").iterdir())
    for photograph in (*lesions, *others):
        with photograph.open("rb") as stream:
            answer = client.post("/v1/predict", files={"images": stream})
        assert answer.status_code == httpx.codes.OK, (photograph, answer.text)
        assert answer.json()["predictions"][0]["filename"] == photograph.name


def test_other_requests_are_answered_while_large_images_are_read(client: httpx.Client) -> None:
    large = [black_png(4900)] * 8  # as many as one request may bring
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(predictions, client, *large)
        answered = 0
        while not slow.done():
            assert client.get("/healthz").status_code == httpx.codes.OK
            answered += 1
        assert len(slow.result()) == len(large)
    assert answered > 10

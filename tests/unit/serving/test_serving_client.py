"""`predict --server` at the real service says what `predict` says of the same model."""

from pathlib import Path

import httpx
import pytest
from uploads import encoded

from skincli.bundle import Bundle
from skincli.config.schema import Config
from skincli.prediction.predict import predict
from skincli.prediction.remote.predict import Server, predict_at
from skincli.prediction.table import write_csv
from skincli.progress import Silent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number, kind in enumerate(("JPEG", "PNG", "WEBP", "BMP", "TIFF")):
        (folder / f"{number}.{kind.lower()}").write_bytes(encoded(kind, seed=number))
    (folder / "bad.jpg").write_bytes(b"roses are red")
    (folder / "cut.jpg").write_bytes(encoded("JPEG")[:500])
    return folder


def test_a_server_and_a_model_here_give_one_table(
    client: httpx.Client, bundle: Bundle, config: Config, folder: Path, tmp_path: Path
) -> None:
    at = Server(address=str(client.base_url), concurrency=4, allow_plain_http=False)
    there = predict_at(at, config, [folder], Silent(), tmp_path / "there")
    here = predict(config, [folder], str(bundle.folder), Silent(), tmp_path / "here")
    assert there.n_errors == 2
    assert there.bundle_digest == here.bundle_digest
    assert there.classes == here.classes
    for got, expected in zip(there.rows, here.rows, strict=True):
        assert (got.path, got.code, got.name) == (expected.path, expected.code, expected.name)
        assert (got.error, got.malignant, got.abstain, got.conformal_set, got.probabilities) == (
            expected.error,
            expected.malignant,
            expected.abstain,
            expected.conformal_set,
            pytest.approx(expected.probabilities, abs=1e-6) if expected.probabilities else None,
        )
    names = [sorted(p.name for p in (tmp_path / n).iterdir()) for n in ("there", "here")]
    assert names[0] == names[1]
    assert len(names[0]) == 5
    write_csv(there, tmp_path / "there.csv")
    assert len((tmp_path / "there.csv").read_text().splitlines()) == 8

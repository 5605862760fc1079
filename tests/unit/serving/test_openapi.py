"""The server does what its OpenAPI document says, whatever schemathesis makes of that."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import Service, service

from skincli.bundle import Bundle

PROGRAM = Path(sys.executable).with_name("schemathesis")
# All but whether a request that fits the document is taken: no schema says what an image is, nor
# which predictions and diagnoses there are.
CHECKS = ("--checks", "all", "--exclude-checks", "positive_data_acceptance")


@pytest.fixture(scope="module")
def served(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(bundle.folder, tmp_path_factory.mktemp("serving")) as it:
        yield it


def assert_conforms(served: Service, folder: Path, examples: int) -> None:
    words = ("run", f"{served.url}/openapi.json", "--max-examples", str(examples))
    options = ("--generation-deterministic", "--warnings", "off")
    run = subprocess.run(
        [PROGRAM, "--no-color", *words, *options, *CHECKS],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "8 selected / 8 total" in run.stdout


def test_it_conforms_to_its_document(served: Service, tmp_path: Path) -> None:
    assert_conforms(served, tmp_path, 40)


@pytest.mark.slow
def test_it_conforms_to_its_document_at_length(served: Service, tmp_path: Path) -> None:
    assert_conforms(served, tmp_path, 500)


def test_every_route_says_that_it_may_refuse(served: Service) -> None:
    with served.client() as client:
        document = json.loads(client.get("/openapi.json").content)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status in ("4XX", "503"):
                response = operation["responses"][status]
                assert list(response["content"]) == ["application/problem+json"], path
            assert "Retry-After" in operation["responses"]["503"]["headers"]

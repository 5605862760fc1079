"""A real server on a free loopback port, over a tiny bundle."""

from collections.abc import Iterator

import httpx
import pytest
from bundles import tiny_bundle
from live import client_of, config_for

from skincli.bundle import Bundle
from skincli.config.schema import Config


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return tiny_bundle(tmp_path_factory.mktemp("served") / "bundle")


@pytest.fixture(scope="session")
def config(bundle: Bundle) -> Config:
    return config_for(bundle.folder)


@pytest.fixture(scope="session")
def client(config: Config) -> Iterator[httpx.Client]:
    with client_of(config) as client:
        yield client

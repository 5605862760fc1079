"""Whether the registered versions are still, byte for byte, what was registered."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skincli.config.schema import Config
from skincli.errors import ModelError
from skincli.progress import Progress
from skincli.tracking.fetching import download_bundle
from skincli.tracking.models import DIGEST_TAG
from skincli.tracking.registry import ModelVersion, read_registry
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import find_run

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class Verification:
    """One version: whether its files have the registered hashes, and what is wrong if not."""

    version: str
    digest: str | None
    ok: bool
    fault: str


def verify_versions(
    config: Config, numbers: Sequence[str], progress: Progress
) -> tuple[Verification, ...]:
    """Download versions from the store, past the cache, and hash them; all if none is named.

    Raises ModelError for a version that there is not.
    """
    client = connect(config.tracking)
    registry = read_registry(config)
    known = {version.version: version for version in registry.versions}
    missing = [number for number in numbers if number not in known]
    if missing or not known:
        name = config.registry.name
        what = f"version {missing[0]}" if missing else "versions yet"
        raise ModelError(f"`{name}` has no {what}", "`skincli models list` shows what is there")
    chosen = [known[number] for number in numbers] or list(registry.versions)
    found = []
    with progress.step("Verifying versions", len(chosen)) as step:
        for version in chosen:
            with store_errors(config.tracking):
                found.append(_verify(client, config.registry.name, version))
            step.advance()
    return tuple(found)


def _verify(client: "MlflowClient", name: str, version: ModelVersion) -> Verification:
    from mlflow.exceptions import MlflowException

    digest, fault = version.digest, ""
    run = find_run(client, version.run_id) if version.run_id else None
    logged = run.data.tags.get(DIGEST_TAG) if run else None
    if digest is None:
        fault = "no digest was registered with it"
    elif logged is not None and logged != digest:
        fault = f"its run logged {logged[:12]}, it is registered as {digest[:12]}"
    else:
        uri = f"models:/{name}/{version.version}"
        with tempfile.TemporaryDirectory() as scratch:
            try:
                download_bundle(uri, digest, Path(scratch))
            except ModelError as error:
                fault = error.message.replace(scratch, uri)
            except (MlflowException, OSError) as error:
                fault = f"it cannot be fetched: {error}".splitlines()[0]
    return Verification(version.version, digest, not fault, fault)

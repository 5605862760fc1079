"""Where a model comes from: what its bundle says, and what its run left in the store."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from skincli.bundle import Bundle
from skincli.config.load import flatten, resolved_dict
from skincli.config.schema import Config
from skincli.reporting.facts import Trained
from skincli.tracking.run_files import fetch_run_files
from skincli.tracking.run_folder import RunFolder
from skincli.versioning.recording import RECORD_KEY

# Settings that shape a model, but for where its data lie. A report may be public.
_SHAPING: Final = (
    *("seed", "task", "data.", "model.", "loss.", "optimizer.", "augment.", "train.", "trainer."),
    "calibration.",
)
_PLACES: Final = ("data.root", "data.mirror", "data.folder.", "data.download.")


@dataclass(frozen=True, slots=True)
class Origin:
    """What was trained, epoch by epoch, and the picture of it, which may not be there.

    `epochs` have None for what is no number.
    """

    trained: Trained
    epochs: tuple[dict[str, float | None], ...]
    curves: Path


def origin_of(config: Config, bundle: Bundle, scratch: Path) -> Origin:
    """Read the lineage of a bundle, and fetch below `scratch` what its training left."""
    lineage = bundle.spec.lineage
    # That of an int8 bundle is another's.
    training, folder = lineage.parent_run_id or lineage.run_id, RunFolder(scratch)
    files = (folder.metrics, folder.environment, folder.curves)
    fetch_run_files(config, training, [file.name for file in files], scratch)
    return Origin(
        trained=_trained(bundle, training, _data_version(folder.environment)),
        epochs=tuple(map(_finite, folder.read_metrics())),
        curves=folder.curves,
    )


def _trained(bundle: Bundle, training: str, data_version: str | None) -> Trained:
    spec, lineage = bundle.spec, bundle.spec.lineage
    return Trained(
        run_id=training,
        run_name=lineage.run_name,
        created=lineage.created,
        digest=bundle.digest,
        backbone=spec.backbone,
        precision=spec.precision,
        image_size=spec.image_size,
        seed=lineage.config.get("seed"),
        data_name=lineage.data_name,
        data_version=data_version,
        synthetic=lineage.synthetic,
        dataset_fingerprint=lineage.dataset_fingerprint,
        split_fingerprint=lineage.split_fingerprint,
        data_warnings=lineage.data_warnings,
        git_commit=lineage.git_commit,
        settings=dict(_settings(lineage.config)),
    )


def _data_version(environment: Path) -> str | None:
    """What DVC calls the data that the run was trained on."""
    if not environment.exists():
        return None
    told = json.loads(environment.read_text()).get(RECORD_KEY)
    return str(told["name"]) if told else None


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    usual = dict(flatten(resolved_dict(Config())))
    for key, value in flatten(config):
        told = key.startswith(_SHAPING) and not key.startswith(_PLACES)
        if told and value != usual.get(key):
            yield key, value


def _finite(row: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in row.items()}

"""The sealed folder in which training ends, and the only thing that everything after it reads.

A bundle holds `model.onnx`, `reference.npz` (features of training images, summed up),
`trained_on.json` and `bundle.json`. The last one names the SHA-256 of the others, so its own
SHA-256, the bundle's digest, stands for the whole. Nothing is added to
a bundle once it is sealed.
"""

import hashlib
import hmac
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from skincli.config.data import Crop, SplitKind
from skincli.config.training import TestTimeAugmentation
from skincli.errors import ModelError
from skincli.taxonomy import ClassInfo, Task

Precision = Literal["float32", "int8"]

SCHEMA_VERSION: Final = 6
SPEC_FILE: Final = "bundle.json"
MODEL_FILE: Final = "model.onnx"
TRAINED_ON_FILE: Final = "trained_on.json"
REFERENCE_FILE: Final = "reference.npz"
_SEALED: Final = (MODEL_FILE, REFERENCE_FILE, TRAINED_ON_FILE)
# Version 5 knew of no other precision; what it leaves unsaid are the defaults below.
_READ: Final = (5, SCHEMA_VERSION)
# How many views of an image `model.onnx` averages over.
VIEWS: Final[dict[TestTimeAugmentation, int]] = {"none": 1, "flips": 4, "dihedral": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a model comes from. Fingerprints are SHA-256 in hex.

    `data_warnings` say why figures from its data are not what they seem. `parent_run_id` is the run
    of the training where that was another one's, such as for an int8 bundle.
    """

    run_id: str
    run_name: str
    created: str
    data_name: str
    data_licence: str
    data_verified: bool
    synthetic: bool
    dataset_fingerprint: str
    split_fingerprint: str
    split: SplitKind
    data_warnings: tuple[str, ...]
    git_commit: str
    packages: dict[str, str]
    config: dict[str, Any]
    parent_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformal:
    """A class belongs to an image's set where one minus its probability is within `thresholds [C]`.

    `coverage` was promised for every class; where `marginal [C]`, the calibration part had too few
    `lesions [C]` of it, and the promise holds for all classes together only.
    """

    coverage: float
    thresholds: tuple[float, ...]
    lesions: tuple[int, ...]
    marginal: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfDistribution:
    """An image is out of distribution beyond either distance from the training images, as at most
    `false_alarm_rate` of the calibration images are; it is blurred, if it is, where it is less
    sharp than the least sharp of those."""

    false_alarm_rate: float
    largest_feature_distance: float
    largest_texture_distance: float
    least_sharpness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSpec:
    """What `bundle.json` holds.

    `temperature` divides the logits before the softmax; `operating_point` is the threshold on
    the malignant probability. Both, and the limits of `conformal` and `out_of_distribution`, were
    fitted on the calibration part. The diagnosis is the class
    of the largest probability times its `decision_weights [C]`. `test_time_augmentation`
    and `precision` are facts about `model.onnx`: nobody has to do anything for them.

    `quantised_from` is the digest of the float32 bundle that an int8 one was made of.
    `export_difference` is the largest difference in probability to the network that was exported:
    the one in torch, or the float32 one.
    """

    task: Task
    backbone: str
    image_size: int
    crop: Crop
    test_time_augmentation: TestTimeAugmentation
    classes: tuple[ClassInfo, ...]
    temperature: float
    operating_point: float
    decision_weights: tuple[float, ...]
    target_sensitivity: float
    conformal: Conformal
    out_of_distribution: OutOfDistribution
    export_difference: float
    lineage: Lineage
    precision: Precision = "float32"
    quantised_from: str | None = None

    @property
    def views(self) -> int:
        return VIEWS[self.test_time_augmentation]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle on disk. `digest` is the SHA-256 of its `bundle.json`."""

    folder: Path
    digest: str
    spec: BundleSpec

    @property
    def model(self) -> Path:
        return self.folder / MODEL_FILE

    @property
    def reference(self) -> Path:
        return self.folder / REFERENCE_FILE

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self.folder / name for name in (SPEC_FILE, *_SEALED))


def seal(folder: Path, spec: BundleSpec, trained_on: dict[str, Any]) -> Bundle:
    """Write the JSON files beside the model and its reference, and seal all with their hashes."""
    _write_json(folder / TRAINED_ON_FILE, trained_on)
    files = {name: file_sha256(folder / name) for name in _SEALED}
    content = {"schema_version": SCHEMA_VERSION, **asdict(spec), "files": files}
    _write_json(folder / SPEC_FILE, content)
    return open_bundle(folder)


def open_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle. Raises ModelError when a file is missing, altered or unknown."""
    path = folder / SPEC_FILE
    if not path.is_file():
        raise ModelError(f"`{folder}` is not a bundle: it holds no {SPEC_FILE}")
    text = path.read_bytes()
    try:
        content = json.loads(text)
        version = content.pop("schema_version")
        files = content.pop("files")
        if version not in _READ:
            raise ModelError(
                f"the bundle in `{folder}` has schema version {version}, this skincli reads "
                f"{' and '.join(map(str, _READ))}",
                "install the skincli that made it, or train again",
            )
        spec = _parse(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"`{path}` cannot be read: {error!r}") from None
    _check_files(folder, files)
    return Bundle(folder, hashlib.sha256(text).hexdigest(), spec)


def copy_bundle(source: Path, target: Path) -> Bundle:
    """Copy the bundle's own files (nothing beside them), verify the copy, then name it."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in open_bundle(source).files:
        shutil.copyfile(file, partial / file.name)
    open_bundle(partial)
    partial.replace(target)
    return open_bundle(target)


def keyed_hashes(key: str, values: Iterable[str]) -> list[str]:
    """Sorted HMAC-SHA256 prefixes (64 bit, hex): recognises a value without revealing it."""
    secret = key.encode()
    return sorted(hmac.digest(secret, v.encode(), "sha256")[:8].hex() for v in set(values))


def overlap(bundle: Bundle, kind: str, values: Iterable[str]) -> int:
    """How many of `values` ("files" or "lesions") the model was trained on."""
    trained_on = json.loads((bundle.folder / TRAINED_ON_FILE).read_text())
    known = set(trained_on[kind])
    return len(known.intersection(keyed_hashes(trained_on["key"], values)))


def file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_files(folder: Path, files: dict[str, str]) -> None:
    if set(files) != set(_SEALED):
        raise ModelError(f"the bundle in `{folder}` lists unexpected files: {sorted(files)}")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"the bundle in `{folder}` lacks {name}")
        if not hmac.compare_digest(file_sha256(path), expected):
            raise ModelError(
                f"`{path}` is not the file that was sealed: its SHA-256 differs",
                "fetch the bundle again; do not serve this one",
            )


def _parse(content: dict[str, Any]) -> BundleSpec:
    classes = tuple(ClassInfo(**item) for item in content.pop("classes"))
    lineage = content.pop("lineage")
    lineage["data_warnings"] = tuple(lineage["data_warnings"])
    content["decision_weights"] = tuple(content["decision_weights"])
    conformal = content.pop("conformal")
    for name in ("thresholds", "lesions", "marginal"):
        conformal[name] = tuple(conformal[name])
    return BundleSpec(
        classes=classes,
        lineage=Lineage(**lineage),
        conformal=Conformal(**conformal),
        out_of_distribution=OutOfDistribution(**content.pop("out_of_distribution")),
        **content,
    )


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")

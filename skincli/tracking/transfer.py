"""Bundles out of one registry, as a folder or a zip, and into another.

The hashes inside a bundle prove that it is whole, not who made it: anyone can seal another. Its
digest, told apart from the file, proves that too.
"""

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from skincli.bundle import (
    MODEL_FILE,
    REFERENCE_FILE,
    SPEC_FILE,
    TRAINED_ON_FILE,
    Bundle,
    copy_bundle,
)
from skincli.config.schema import Config
from skincli.errors import ModelError, UsageError
from skincli.tracking.models import DIGEST_TAG, log_bundle
from skincli.tracking.registry import register
from skincli.tracking.resolve import resolve
from skincli.tracking.store import connect, store_errors
from skincli.tracking.stored_runs import RUN_TAG, create_run, find_run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_FILES: Final = frozenset((SPEC_FILE, MODEL_FILE, REFERENCE_FILE, TRAINED_ON_FILE))
_IMPORTED_TAG: Final = "skincli.imported"
# An ONNX file is one protocol buffer, which cannot be larger.
_MAX_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class ExportResult:
    model: str
    digest: str
    path: Path


@dataclass(frozen=True, slots=True)
class ImportResult:
    """`run_id` is the run that was made for the bundle, or the one that had logged it."""

    name: str
    version: str
    digest: str
    run_id: str


def export_model(config: Config, model: str, target: Path) -> ExportResult:
    """Write a model's bundle as the folder `target`, or as a zip where the name ends so.

    Raises ModelError, UsageError when there is something of that name.
    """
    require_free(target)
    bundle = resolve(config, model).bundle
    write_bundle(bundle, target)
    return ExportResult(model, bundle.digest, target)


def require_free(target: Path) -> None:
    """Raises UsageError when there is something of that name."""
    if target.exists():
        raise UsageError(f"`{target}` exists already", "name another place, or remove it")


def write_bundle(bundle: Bundle, target: Path) -> None:
    """Write a bundle as the folder `target`, or as a zip where the name ends so: whole or not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".zip":
        _write_zip(bundle, target)
    else:
        copy_bundle(bundle.folder, target)


def import_model(config: Config, source: Path) -> ImportResult:
    """Register the bundle in a folder or zip, under a run of its own. Nothing is promoted.

    Raises UsageError when there is no such file, ModelError when it holds anything but a whole
    bundle that stands for itself.
    """
    if not source.exists():
        raise UsageError(f"there is no `{source}`", "name a bundle folder or a zip of one")
    client = connect(config.tracking)
    with tempfile.TemporaryDirectory() as scratch:
        folder = source if source.is_dir() else _unpack(source, Path(scratch) / "unpacked")
        _require_listed_files(source, folder)
        bundle = copy_bundle(folder, Path(scratch) / "bundle")
        _require_self_contained(bundle)
        with store_errors(config.tracking):
            run = _run_of(client, config, bundle)
            log_bundle(client, run, bundle)
            if _IMPORTED_TAG in run.data.tags:
                client.set_terminated(run.info.run_id, "FINISHED")
            version = register(config, "", bundle, run.info.run_id)
    return ImportResult(config.registry.name, version, bundle.digest, run.info.run_id)


def _write_zip(bundle: Bundle, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in bundle.files:
                archive.write(file, file.name)
        with zipfile.ZipFile(partial) as archive:
            damaged = archive.testzip()
            if damaged:
                raise OSError(f"{damaged} was not written as it is")
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _unpack(source: Path, folder: Path) -> Path:
    """The zip's files in `folder`, none of which can lie outside it. Raises ModelError."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            _require_names(source, [entry.filename for entry in entries])
            for entry in entries:
                if stat.S_ISLNK(entry.external_attr >> 16) or entry.file_size > _MAX_BYTES:
                    raise ModelError(f"`{source}` holds a link or too large a {entry.filename}")
                with archive.open(entry) as packed, (folder / entry.filename).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(f"`{source}` is no zip that can be read: {error}") from None
    return folder


def _require_listed_files(source: Path, folder: Path) -> None:
    _require_names(source, [path.name for path in folder.iterdir()])
    if any(path.is_symlink() for path in folder.iterdir()):
        raise ModelError(f"`{source}` holds a link", "a bundle is plain files")


def _require_names(source: Path, names: list[str]) -> None:
    """Plain names, each once: hence no path that leads elsewhere."""
    strange = sorted(set(names) - _FILES)
    if strange or len(names) != len(_FILES):
        what = f"`{strange[0]}`" if strange else "not every file of a bundle once"
        raise ModelError(
            f"`{source}` holds {what}", f"a bundle is {', '.join(sorted(_FILES))} and nothing else"
        )


def _require_self_contained(bundle: Bundle) -> None:
    """ONNX may keep weights in other files, by paths that lead anywhere: no hash covers these."""
    import onnx

    try:
        model = onnx.load(bundle.model, load_external_data=False)
    except Exception as error:  # protobuf's own, of a package that is not ours to import
        raise ModelError(f"`{MODEL_FILE}` is no ONNX model: {error}") from None
    external = onnx.TensorProto.EXTERNAL
    if any(tensor.data_location == external for tensor in _tensors(model)):
        raise ModelError(
            f"`{MODEL_FILE}` keeps weights in another file", "export it with its weights inside"
        )


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor at any depth: initialisers, attributes, subgraphs, functions."""
    import onnx

    if isinstance(message, onnx.TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in [value] if hasattr(value, "ListFields") else value:
                yield from _tensors(child)


def _run_of(client: "MlflowClient", config: Config, bundle: Bundle) -> "Run":
    """The run that holds this bundle, made if there is none. Raises ModelError."""
    lineage = bundle.spec.lineage
    run = find_run(client, lineage.run_id)
    if run is None:
        tags = {RUN_TAG: lineage.run_id, _IMPORTED_TAG: bundle.digest}
        # Below the run of its training, if that is here too.
        parent = find_run(client, lineage.parent_run_id or "")
        parent_id = parent.info.run_id if parent else None
        return create_run(client, config.tracking, lineage.run_name, tags, parent_id)
    if bundle.digest not in (run.data.tags.get(DIGEST_TAG), run.data.tags.get(_IMPORTED_TAG)):
        raise ModelError(
            f"run `{lineage.run_id}`, which this bundle names as its own, logged another one here",
            "one of the two is not what it says",
        )
    return run

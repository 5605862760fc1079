"""Registered models into another store: the same numbers, tags and aliases.

The numbers have to be the same, since the history and people name versions by them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from skincli.errors import SkincliError
from skincli.tracking.history import create_model
from skincli.tracking.migration.runs import COPY_OF
from skincli.tracking.migration.source import every

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MODEL: Final = re.compile(r"models:/(?P<id>[^/@]+)")
_VERSION: Final = re.compile(r"models:/[^/@]+/\d+")


def registered_models(client: "MlflowClient") -> list[tuple[Any, list[Any]]]:
    """Every registered model and its versions by number; those made of versions come last."""
    models = every(lambda token: client.search_registered_models(page_token=token))
    found = [(model, _versions(client, model.name)) for model in models]
    return sorted(found, key=lambda pair: any(_VERSION.fullmatch(v.source) for v in pair[1]))


def copy_registered_model(
    target: "MlflowClient",
    model: Any,
    versions: Sequence[Any],
    models: Mapping[str, str],
    runs: Mapping[str, str],
) -> list[str]:
    """Copy one registered model. Returns what had to be left out, and why, in plain words.

    `models` and `runs` map ids to those of the copies. Raises SkincliError when the target has
    another version of the same number.
    """
    create_model(target, model.name, model.description or "")
    for name, text in model.tags.items():
        target.set_registered_model_tag(model.name, name, text)
    _remove_strays(target, model.name, versions)
    there = {int(v.version): v for v in _versions(target, model.name)}
    left_out = []
    for version in versions:
        uri = _source_of(version, models)
        if uri is None:
            left_out.append(f"version {version.version} of {model.name}: it is no copied bundle")
            continue
        copied = there.get(int(version.version)) or _create(target, version, uri, runs)
        _require_copy(copied, version)
        for name, text in version.tags.items():
            if copied.tags.get(name) != text:
                target.set_model_version_tag(model.name, version.version, name, text)
    return left_out + _copy_aliases(target, model, left_out)


def _versions(client: "MlflowClient", name: str) -> list[Any]:
    found = every(lambda token: client.search_model_versions(f"name='{name}'", page_token=token))
    return sorted(found, key=lambda version: int(version.version))


def _source_of(version: Any, models: Mapping[str, str]) -> str | None:
    """What the copied version is made of: the copy of its model, or a version of the same name."""
    if _VERSION.fullmatch(version.source):
        return str(version.source)
    copied = models.get(_model_id(version.source) or "")
    return f"models:/{copied}" if copied else None


def _create(target: "MlflowClient", version: Any, uri: str, runs: Mapping[str, str]) -> Any:
    """Make the version under its own number: the store deals them in turn, so gaps are filled."""
    number = int(version.version)
    tags = {**version.tags, COPY_OF: _mark(version)}
    while True:
        made = target.create_model_version(
            version.name,
            uri,
            run_id=runs.get(version.run_id),
            tags=tags,
            model_id=_model_id(uri),
        )
        if int(made.version) == number:
            return made
        target.delete_model_version(version.name, made.version)
        if int(made.version) > number:
            raise _taken(version)


def _model_id(uri: str) -> str | None:
    """A server wants to be told it beside the address."""
    match = _MODEL.fullmatch(uri)
    return match["id"] if match else None


def _remove_strays(target: "MlflowClient", name: str, versions: Sequence[Any]) -> None:
    """Copies under a wrong number, which a kill left between making and removing them."""
    marks = {str(version.version): _mark(version) for version in versions}
    for version in _versions(target, name):
        mark = version.tags.get(COPY_OF)
        if mark in marks.values() and marks.get(str(version.version)) != mark:
            target.delete_model_version(name, version.version)


def _require_copy(copied: Any, version: Any) -> None:
    if copied.tags.get(COPY_OF) != _mark(version):
        raise _taken(version)


def _taken(version: Any) -> SkincliError:
    return SkincliError(
        f"the target has another version {version.version} of {version.name}",
        "two registries cannot be mixed: copy to an empty one, or use `models export | import`",
    )


def _mark(version: Any) -> str:
    return f"{version.name}/{version.version} of {version.creation_timestamp}"


def _copy_aliases(target: "MlflowClient", model: Any, missing: Sequence[str]) -> list[str]:
    """Point aliases where they point here. One that was moved there since stays as it is."""
    there = target.get_registered_model(model.name).aliases
    left_out = []
    for alias, number in model.aliases.items():
        now = there.get(alias)
        if now is None and not missing:
            target.set_registered_model_alias(model.name, alias, number)
        elif now is None or str(now) != str(number):
            points = f"points to version {now} there" if now else "is not set"
            left_out.append(f"alias {alias} of {model.name}: it {points}")
    return left_out

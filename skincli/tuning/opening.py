"""Opening a study in its SQLite file: by one process at a time, only as what it was made for."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import optuna
from sqlalchemy.exc import SQLAlchemyError

from skincli.config.schema import Config
from skincli.errors import ConfigError, SkincliError
from skincli.tuning.ranges import Range
from skincli.tuning.study import Study

_MADE_FOR: Final = "made_for"


@contextmanager
def open_study(
    config: Config, ranges: tuple[Range, ...], made_for: Mapping[str, Any]
) -> Iterator[Study]:
    """Make the study or go on with it, alone.

    Raises ConfigError when it was made for something else than `made_for`, and SkincliError when
    another process searches it or its file cannot be used.
    """
    tune, file = config.tune, config.tune.file
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _held(file, tune.study), _store_errors(file):
        storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
        try:
            inner = optuna.create_study(
                storage=storage,
                study_name=tune.study,
                direction="maximize",
                load_if_exists=True,
                pruner=_pruner(config),
            )
            _require_same(inner, made_for, file)
            study = Study(inner, ranges, config.seed)
            study.give_up_killed()
            yield study
        finally:
            storage.engine.dispose()


def _pruner(config: Config) -> optuna.pruners.BasePruner:
    """Ends a trial below the median of the others, not before a third of its epochs: with a
    warm-up and a cosine, the beginnings say little about the ends."""
    return optuna.pruners.MedianPruner(
        n_startup_trials=5, n_warmup_steps=config.trainer.max_epochs // 3
    )


def _require_same(inner: optuna.Study, made_for: Mapping[str, Any], file: Path) -> None:
    if _MADE_FOR not in inner.user_attrs:
        inner.set_user_attr(_MADE_FOR, dict(made_for))
        return
    before = inner.user_attrs[_MADE_FOR]
    changed = [
        f"{key} was {before[key]!r} and is {made_for[key]!r}"
        for key in made_for
        if key in before and before[key] != made_for[key]
    ]
    if changed:
        raise ConfigError(
            f"study `{inner.study_name}` in `{file}` cannot go on: {'; '.join(changed)}",
            "repeat the settings of its start, or begin another with tune.study=NAME",
        )


@contextmanager
def _held(file: Path, study: str) -> Iterator[None]:
    """Hold the study's lock, so that what it has running belongs to a process that is gone.

    The kernel lets go of it when the process ends, however it ends.
    """
    try:
        stream = file.with_name(f".{file.name}.{study}.lock").open("w")
    except OSError as error:
        raise SkincliError(
            f"`{file.parent}` cannot be written: {error.strerror}", "set tune.storage"
        ) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SkincliError(
                f"another process is searching study `{study}` in `{file}`",
                "wait for it, or begin another with tune.study=NAME",
            ) from None
        yield


@contextmanager
def _store_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        cause = error.__cause__ or error
        raise SkincliError(
            f"the study store `{file}` failed: {str(cause).splitlines()[0]}",
            "free some disk, or name another file with tune.storage=sqlite:///FILE",
        ) from error

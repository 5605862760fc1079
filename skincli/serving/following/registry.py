"""The registry process: what the alias names is fetched, verified and tested before it is served.

MLflow is imported here and nowhere else of a running service.
"""

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from skincli.config.schema import Config
from skincli.errors import ModelError, SkincliError
from skincli.inference.selftest import checked_classifier
from skincli.serving.following.pointer import (
    Pointer,
    is_registered,
    read_pointer,
    wanted_model,
    write_pointer,
)
from skincli.tracking.resolve import NamedVersion, named_version, resolve

# A version that was refused is looked at again: it may have been a fault of the network.
_REFUSED_AGAIN_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


def follow(config: Config, file: Path) -> None:
    """Keep `file` pointing to what the config asks for; returns where that can never move.

    Raises SkincliError when there is nothing to serve, now or from before.
    """
    following = Following(config, file)
    while following.ask() or is_registered(wanted_model(config)):
        time.sleep(config.serve.poll_seconds)


class Following:
    """One model followed. What was served before holds until something better was verified."""

    def __init__(self, config: Config, file: Path) -> None:
        self._config = config
        self._file = file
        self._wanted = wanted_model(config)
        self._pointer = read_pointer(file) if is_registered(self._wanted) else None
        self._seen: NamedVersion | None = None
        self._looked = 0.0

    def ask(self) -> bool:
        """Ask once; whether there is a reason to ask again. Raises SkincliError, see `follow`."""
        try:
            self._pointer = self._found()
        except ModelError as error:
            self._keep(error, refused=error.message)
        except SkincliError as error:
            self._keep(error, away=_now())
        except Exception as error:  # whatever a strange store answers, what is served stays
            self._keep(SkincliError(f"the registry cannot be understood: {error!r}"), away=_now())
        assert self._pointer is not None
        write_pointer(self._file, self._pointer)
        return bool(self._pointer.away or self._pointer.refused)

    def _found(self) -> Pointer:
        """What the registry names, verified. Raises SkincliError."""
        if is_registered(self._wanted):
            before, self._seen = self._seen, None
            said = named_version(self._config, self._wanted)
            if said == before and self._pointer is not None and not self._is_due():
                self._seen = said
                return self._answering(self._pointer)
            self._seen, self._looked = said, time.monotonic()
            if said.digest is None:
                raise ModelError(
                    f"version {said.version} was registered without its digest",
                    "`skincli promote` registers a model with it",
                )
        found = resolve(self._config, self._wanted)
        checked_classifier(found.bundle, threads=1)
        # Outside the registry the name may be a path, which is no client's business.
        name = found.name if found.version else found.bundle.spec.lineage.run_name
        _log.info("%s is verified", name)
        return Pointer(
            name=name,
            version=found.version,
            digest=found.bundle.digest,
            folder=str(found.bundle.folder.absolute()),
            metrics=self._seen.metrics if self._seen else {},
        )

    def _is_due(self) -> bool:
        """Whether the version that was refused is to be looked at again."""
        assert self._pointer is not None
        waited = time.monotonic() - self._looked
        return bool(self._pointer.refused) and waited >= _REFUSED_AGAIN_SECONDS

    def _answering(self, pointer: Pointer) -> Pointer:
        if pointer.away:
            _log.info("the registry answers again")
        return replace(pointer, away="")

    def _keep(self, error: SkincliError, *, away: str = "", refused: str = "") -> None:
        """Serve on what was served, and say why. Raises `error` when there is nothing."""
        if self._pointer is None:
            raise error
        kept = self._pointer
        if (away and not kept.away) or (refused and refused != kept.refused):
            _log.warning("still serving %s: %s", kept.name, error.message)
        self._pointer = replace(
            kept, away=away and (kept.away or away), refused=refused or kept.refused
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

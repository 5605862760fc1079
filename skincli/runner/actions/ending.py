"""The end of a container of this engine."""

import time
from contextlib import suppress
from typing import Final

from skincli.errors import SkincliError
from skincli.runner import container
from skincli.runner.checks import Environ

_LOOKS: Final = 50
_BETWEEN_LOOKS: Final = 0.2


def end_container(name: str, environ: Environ) -> None:
    """Stop the container of this engine, if there is one, and see it gone. Raises SkincliError.

    One that another supervisor keeps going is left to that.
    """
    # Docker removes what has run by itself, a moment after its end, and complains of help. A client
    # of its that was cut off may still start what was only made a moment ago.
    for _ in range(_LOOKS):
        found = container.find(name, environ)
        if found is None or found.labels.engine != "actions" or found.labels.kept_by_another:
            return
        if found.running:
            container.stop(name, environ)
            continue
        with suppress(SkincliError):
            container.remove(name, environ)
        time.sleep(_BETWEEN_LOOKS)
    container.remove(name, environ)

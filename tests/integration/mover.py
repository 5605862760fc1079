"""A process that moves the champion's alias: `mover.py STORE NAME VERSION FOLDER [when to die]`.

It reads the registry, says so by a file in FOLDER, and goes on when there is a file `go`. With
`appended` it is killed between writing the change down and moving the alias.
"""

import os
import signal
import sys
import time
from pathlib import Path

from skincli.config.schema import Config
from skincli.errors import SkincliError
from skincli.tracking import registry


def main(store, name, version, folder, death=""):
    config = Config()
    config.tracking.uri, config.registry.name = store, name
    known = registry.read_registry(config)
    if death == "appended":
        registry.let_alias_follow = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"ready-{version}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.01)
    try:
        registry.move_alias(config, registry.new_change(config, known, "promote", version), {})
    except SkincliError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main(*sys.argv[1:])

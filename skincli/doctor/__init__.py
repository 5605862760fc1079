"""What is there, what is missing, and how to mend it."""

import os
from dataclasses import dataclass
from pathlib import Path

from skincli.config.schema import Config
from skincli.doctor import machine, packages, project, store
from skincli.runner.checks import Check

__all__ = ["Check", "Diagnosis", "examine"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`healthy` unless a check is a failure; warnings are things that some commands want."""

    checks: tuple[Check, ...]
    healthy: bool


def examine(config: Config) -> Diagnosis:
    """Look at this machine, this installation and the working folder. Changes nothing."""
    here = Path.cwd()
    checks = (
        *packages.installation(),
        *machine.hardware(here, os.environ),
        store.tracking_store(config.tracking.uri),
        *project.data_set(Path(config.data.root) / config.data.set_name),
        *project.docker(os.environ),
        project.repository(os.environ),
        project.data_versions(config.versioning.dvc, os.environ),
    )
    return Diagnosis(checks, all(check.level != "failure" for check in checks))

"""The engine `actions`: GitHub's own image, one container and one registration for each job.

A supervisor on this machine keeps it going. The token never leaves it: a container gets a
just-in-time configuration, which is good for one job.
"""

from skincli.runner.actions.lifecycle import (
    ActionsStatus,
    Started,
    foreground,
    log_path,
    start,
    status,
    stop,
)
from skincli.runner.actions.typed import commands

__all__ = [
    "ActionsStatus",
    "Started",
    "commands",
    "foreground",
    "log_path",
    "start",
    "status",
    "stop",
]

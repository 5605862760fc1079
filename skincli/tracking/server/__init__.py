"""MLflow's own tracking server: what it stands on, started, watched, stopped."""

from skincli.tracking.server.lifecycle import ServerStatus, start, status, stop, wait
from skincli.tracking.server.state import ServerState

__all__ = ["ServerState", "ServerStatus", "start", "status", "stop", "wait"]

"""What a tracking server says of itself, asked without MLflow and its long patience."""

import os
from functools import cache
from importlib.metadata import version
from typing import Final

import httpx

from skincli.config.secrets import mask
from skincli.errors import SkincliError, UsageError

_HEALTH_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 10.0


def answers(address: str) -> bool:
    """Whether a server of this machine says that it is well."""
    try:
        return httpx.get(f"{address}/health", timeout=_HEALTH_SECONDS, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def told_version(address: str) -> str | None:
    """MLflow's version at this address, None where it is not told to us."""
    try:
        answer = _get(address, "version")
    except httpx.HTTPError:
        return None
    return answer.text.strip() if answer.is_success else None


def require_server(uri: str) -> None:
    """Raises SkincliError when no server answers or it is of another major version of MLflow;

    UsageError when it asks for other credentials than the environment holds.
    """
    shown = mask(uri)
    try:
        _get(uri, "health").raise_for_status()
        answer = _get(uri, "version")
    except httpx.HTTPError as error:
        raise SkincliError(
            f"the tracking server {shown} does not answer: {mask(str(error))}",
            "`skincli track start` starts one; `tracking.uri=none` trains without",
        ) from None
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise UsageError(
            f"the tracking server {shown} asks who this is",
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment",
        )
    if not answer.is_success:
        raise SkincliError(
            f"{shown} answers {answer.status_code} when asked for MLflow's version",
            "tracking.uri is the address of an MLflow server, without a page's path",
        )
    _require_same_major(shown, answer.text.strip())


def _require_same_major(shown: str, theirs: str) -> None:
    ours = version("mlflow-skinny")  # the client, which a server install has alone
    if theirs.partition(".")[0] != ours.partition(".")[0]:
        raise SkincliError(
            f"the tracking server {shown} is MLflow {theirs}, this client MLflow {ours}",
            "install the same on both sides",
        )


def _get(address: str, page: str) -> httpx.Response:
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    who = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", "")) if user else None
    return _client().get(f"{address.rstrip('/')}/{page}", auth=who)


@cache
def _client() -> httpx.Client:
    """One for all: every new one reads the certificates of all authorities."""
    alone = httpx.Limits(max_keepalive_connections=0)  # a server may have been restarted
    return httpx.Client(timeout=_ANSWER_SECONDS, limits=alone)

"""Which paths are for everybody, and what kind of answer each gives."""

from typing import Final, Literal

Kind = Literal["api", "page", "docs"]

# They tell that the service lives and nothing else, to whoever starts and watches it.
HEALTH: Final = frozenset({"/healthz", "/readyz"})
IMAGES: Final = frozenset({"/v1/predict", "/model_inference"})
_OPEN: Final = HEALTH | {"/", "/docs", "/openapi.json"}
_OPEN_FOLDERS: Final = ("/static/", "/docs/")


def needs_key(path: str) -> bool:
    """Everything that is not named as open, what is added tomorrow included."""
    return path not in _OPEN and not path.startswith(_OPEN_FOLDERS)


def kind_of(path: str) -> Kind:
    if path == "/docs" or path.startswith("/docs/"):
        return "docs"
    return "page" if path == "/" or path.startswith("/static/") else "api"

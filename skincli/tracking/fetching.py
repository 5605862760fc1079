"""Bundles from the artifact store, kept in a cache that is keyed by their digests."""

import contextlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from skincli.bundle import Bundle, copy_bundle, open_bundle
from skincli.errors import ModelError

_LEFT_SECONDS: Final = 86_400.0
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def fetch_bundle(uri: str, digest: str | None) -> Bundle:
    """A verified bundle from the cache, or from the artifact store. Raises ModelError."""
    cache = cache_folder() / "bundles"
    kept = _kept(cache, digest)
    if kept is not None:
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    _sweep(cache)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as scratch:
        bundle = download_bundle(uri, digest, Path(scratch))
        target = cache / bundle.digest
        try:
            bundle.folder.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was first
                raise
    return open_bundle(target)


def download_bundle(uri: str, digest: str | None, scratch: Path) -> Bundle:
    """A verified bundle below `scratch`, as the store has it now.

    Raises ModelError when it is damaged, or another one than `digest` says.
    """
    from mlflow.artifacts import download_artifacts

    downloaded = Path(download_artifacts(artifact_uri=uri, dst_path=str(scratch)))
    bundle = copy_bundle(downloaded, scratch / "bundle")
    if digest and bundle.digest != digest:
        raise ModelError(
            f"the bundle of {uri} is not the one that was registered: its digest is "
            f"{bundle.digest[:12]}, not {digest[:12]}",
            "do not use it; `skincli models list` shows the other versions",
        )
    return bundle


def _sweep(cache: Path) -> None:
    """Remove what fetches left that were killed long ago."""
    for left in cache.glob("fetch-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _kept(cache: Path, digest: str | None) -> Bundle | None:
    """The bundle from the cache if it is there and whole; a damaged one is thrown away."""
    if digest is None or not _DIGEST.fullmatch(digest) or not (cache / digest).is_dir():
        return None
    with contextlib.suppress(ModelError):
        bundle = open_bundle(cache / digest)
        if bundle.digest == digest:
            return bundle
    shutil.rmtree(cache / digest)
    return None


def cache_folder() -> Path:
    """One for every project of this user: what is in there is keyed by what it is."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "skincli"

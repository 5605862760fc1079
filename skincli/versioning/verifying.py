"""Whether what lies in place has the bytes of its version; DVC trusts its cache and its notes."""

from collections.abc import Iterable
from pathlib import Path

from skincli.data.download.checksums import md5_of
from skincli.progress import Progress
from skincli.versioning.objects import Object, object_key, objects_of
from skincli.versioning.workspace import Workspace


def damaged_files(workspace: Workspace, cache: Path, progress: Progress) -> list[Object]:
    """The files of the present version whose bytes in place are others, or that are not there."""
    files = [each for each in objects_of(workspace, cache) if not each.is_list]
    with progress.step("Checking what is in place", len(files)) as step:
        wrong = []
        for each in files:
            if not _is_whole(each.path, each.md5):
                wrong.append(each)
            step.advance()
    return wrong


def remove(wrong: Iterable[Object], cache: Path) -> list[Object]:
    """Remove damaged files from their place and, if they are damaged there, from `cache`: those."""
    gone = []
    for each in wrong:
        kept = cache / object_key(each.md5)
        if kept.is_file() and not _is_whole(kept, each.md5):
            kept.unlink()
            gone.append(each)
        each.path.unlink(missing_ok=True)
    return gone


def drop_damaged(workspace: Workspace, cache: Path, progress: Progress) -> list[Object]:
    """Remove from `cache` what is damaged of the present version: those objects."""
    objects = list(objects_of(workspace, cache))
    with progress.step("Checking what is kept", len(objects)) as step:
        gone = []
        for each in objects:
            kept = cache / object_key(each.md5)
            if kept.is_file() and not _is_whole(kept, each.md5.removesuffix(".dir")):
                kept.unlink()
                gone.append(each)
            step.advance()
    return gone


def _is_whole(file: Path, md5: str) -> bool:
    return file.is_file() and md5_of(file) == md5

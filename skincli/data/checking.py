"""The verb `check`: prove on the stored split that nothing crosses it."""

from collections.abc import Iterator
from pathlib import Path

from skincli.bundle import file_sha256
from skincli.config.schema import Config
from skincli.data.packing.decode import IMAGES, read_checksums
from skincli.data.packing.packed import PackedImages
from skincli.data.raw import read_record
from skincli.data.records import CheckResult
from skincli.data.splitting.current import stored_split
from skincli.data.splitting.proof import find_leaks
from skincli.data.storage import SetFolder
from skincli.errors import DataError
from skincli.progress import Progress


def check(config: Config, progress: Progress, full: bool = False) -> CheckResult:
    """Look for lesions, groups, files and duplicates in more than one part of the stored split.

    `full` also reads every chunk of every pack and every raw file. What leaks is in the result.
    Raises DataError when there is no split yet, or when `full` finds a damaged file.
    """
    folder = SetFolder.of(config.data)
    split = stored_split(folder.splits, config.data)
    found = [str(leak) for leak in find_leaks(split)]
    altered = [f"the files in {split.folder} were altered after they were made"]
    used = [row for row in split.rows if row.part != "quarantined"]
    across = [pair for pair in split.duplicates if pair.first_lesion != pair.second_lesion]
    return CheckResult(
        folder=split.folder,
        version=split.version,
        n_images=len(used),
        n_lesions=len({row.lesion_id for row in used}),
        n_groups=len({row.group for row in used}),
        n_quarantined=len(split.rows) - len(used),
        n_duplicates=len(split.duplicates),
        n_duplicates_across=len(across),
        leaks=(*([] if split.official else found), *(altered if split.altered else [])),
        warnings=tuple(found if split.official else []),
        packs=sum(1 for _ in _verify_packs(folder, progress)) if full else 0,
        files=sum(1 for _ in _verify_raw(folder, progress)) if full else 0,
    )


def _verify_packs(folder: SetFolder, progress: Progress) -> Iterator[Path]:
    for path in sorted(folder.prepared.glob(f"*/{IMAGES}")):
        if path.parent.name.endswith(".partial"):
            continue
        try:
            packed = PackedImages(path, read_checksums(path.parent))
        except (OSError, ValueError) as error:
            raise DataError(
                f"`{path}` cannot be read: {error}",
                f"remove `{path.parent}` and run `skincli data prepare` again",
            ) from None
        with progress.step(f"Verifying {path.parent.name}", len(packed)) as step:
            for count in packed.verify_all():
                step.advance(count)
        yield path


def _verify_raw(folder: SetFolder, progress: Progress) -> Iterator[Path]:
    record = read_record(folder.raw)
    files = record.files if record else {}
    with progress.step("Verifying raw files", len(files)) as step:
        for name, fact in files.items():
            path = folder.raw / name
            if not path.is_file() or file_sha256(path) != fact.sha256:
                raise DataError(f"`{path}` is not as it was fetched", "run `skincli data fetch`")
            step.advance()
            yield path

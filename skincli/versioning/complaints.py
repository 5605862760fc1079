"""What DVC complains of, in plain words."""

import re
from typing import Final

from skincli.errors import SkincliError, UsageError
from skincli.versioning.calling import Ended

_AWS: Final = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the environment"
_REMOTE: Final = "`skincli data remote FOLDER-OR-s3://BUCKET/PREFIX` sets it"

# What DVC says, what that means, what to do, and whether it is a matter of settings.
_KNOWN: Final[tuple[tuple[str, str, str, bool], ...]] = (
    ("no remote specified|no default remote|config file error: no remote",
     "no remote is set yet", _REMOTE, True),
    ("Unable to locate credentials|NoCredentials|Partial credentials",
     "the remote asks for credentials, and there are none", _AWS, True),
    ("profile .* could not be found",
     "AWS_PROFILE names a profile that is not in the AWS files", _AWS, True),
    ("InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken",
     "the remote refuses the credentials", f"{_AWS} to ones that are valid", True),
    ("Forbidden|AccessDenied|Access Denied|PermissionError",
     "the remote refuses the credentials, or does not let them do this",
     "check the key, and its rights to list, read and write below the prefix", True),
    ("bucket does not exist|NoSuchBucket",
     "there is no such bucket", f"make it first, or name another: {_REMOTE}", True),
    ("Could not connect to the endpoint|Connect timeout|Connection was closed|Cannot connect",
     "the remote does not answer", "check the network and the address of the endpoint", False),
    ("requires 'dvc-s3'|missing dependencies.*s3|'s3'.*not supported",
     "this DVC knows nothing of S3", "install it with S3: `uv tool install 'dvc[s3]'`", True),
    ("Unable to acquire lock|is locked",
     "another DVC command is at work in this repository", "try again when it has ended", False),
    ("No space left|Disk quota",
     "the disk is full", "make room, then run the same command again", False),
    ("is tracked by SCM|already tracked by SCM",
     "git tracks files that DVC is to keep", "`git rm -r --cached PATH` lets go of them", True),
)  # fmt: skip
_BAR: Final = re.compile(r"^!?$|^\s*\S* ?\d+%\s*\|")
_POINTERS: Final = ("Having any troubles", "<https://", "To ", "Is your cache")


def complaint(doing: str, ended: Ended) -> SkincliError:
    """The error to raise for a command that failed."""
    for pattern, message, hint, is_setting in _KNOWN:
        if re.search(pattern, ended.err, re.IGNORECASE):
            return (UsageError if is_setting else SkincliError)(message, hint)
    return SkincliError(f"`dvc {doing}` failed: {said(ended)}", "mend what DVC reports")


def said(ended: Ended) -> str:
    """DVC's own words: what it calls an error, and the lines that belong to it."""
    lines = ended.err.splitlines()
    errors = [n for n, line in enumerate(lines) if line.startswith("ERROR:")]
    if not errors:
        return lines[-1].strip() if lines else f"exit code {ended.code}"
    told = [
        line
        for line in lines[errors[0] :]
        if not line.startswith(_POINTERS) and not _BAR.search(line)
    ]
    words = " ".join(told).removeprefix("ERROR: ").removeprefix("unexpected error - ")
    return re.sub(r"\s+", " ", words).strip().rstrip(".")

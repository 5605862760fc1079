"""What DVC 3.67.1 says when it fails, as it was seen to, and what is made of it."""

from pathlib import Path

import pytest

from skincli.versioning.calling import Ended
from skincli.versioning.complaints import complaint
from skincli.versioning.objects import Object
from skincli.versioning.settings import Remote
from skincli.versioning.shortfall import shortfall

SUPPORT = "Having any troubles? Hit us up at https://dvc.org/support, we are always happy to help!"


def failed(*said: str) -> Ended:
    return Ended(255, "", "\n".join((*said, SUPPORT)))


@pytest.mark.parametrize(
    ("said", "message", "hint", "code"),
    [
        (
            "ERROR: unexpected error - Unable to locate credentials",
            "asks for credentials, and there are none",
            "AWS_ACCESS_KEY_ID",
            2,
        ),
        (
            "ERROR: unexpected error - Forbidden: An error occurred (403) when calling the "
            "HeadObject operation: Forbidden",
            "refuses the credentials",
            "rights",
            2,
        ),
        (
            "ERROR: unexpected error - The specified bucket does not exist: An error occurred "
            "(NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does "
            "not exist",
            "no such bucket",
            "make it first",
            2,
        ),
        (
            'ERROR: unexpected error - Could not connect to the endpoint URL: "http://h/b/o.dir"',
            "does not answer",
            "network",
            1,
        ),
        (
            "ERROR: unexpected error - The config profile (zz) could not be found",
            "AWS_PROFILE names a profile",
            "AWS_PROFILE",
            2,
        ),
        (
            "ERROR: unexpected error - s3 is supported, but requires 'dvc-s3' to be installed: No "
            "module named 'dvc_s3'",
            "knows nothing of S3",
            "dvc[s3]",
            2,
        ),
        (
            "ERROR: Unable to acquire lock. Most likely another DVC process is running or was "
            "terminated abruptly.",
            "another DVC command is at work",
            "try again",
            1,
        ),
        (
            "ERROR: unexpected error - [Errno 28] No space left on device: '/x'",
            "the disk is full",
            "make room",
            1,
        ),
    ],
)
def test_a_known_complaint_is_put_in_plain_words(said, message, hint, code):
    error = complaint("push", failed("  0%|  |Querying 0/4 [00:00<?, ?files/s]", said))
    assert message in error.message
    assert hint in error.hint
    assert error.exit_code == code
    assert "https://dvc.org" not in error.message


def test_another_one_is_passed_on_without_its_trimmings():
    error = complaint("add", failed("bar", "ERROR: unexpected error - something new.", ""))
    assert error.message == "`dvc add` failed: something new"


def test_the_bars_of_a_transfer_are_not_part_of_it():
    error = complaint(
        "fetch",
        failed(
            "ERROR: failed to transfer 'e995' - something new",
            "Fetching 100%|██████████|Fetching from s3 4/4 [00:01<00:00, 2.06file/s]",
            "!",
            "  0%|          |lesions/0.00/468k [00:00<?, ?B/s]",
            "ERROR: failed to fetch data from the cloud - 2 files failed to download",
        ),
    )
    assert error.message.endswith(
        "something new ERROR: failed to fetch data from the cloud - 2 files failed to download"
    )
    assert "%" not in error.message


@pytest.mark.parametrize(
    "reason",
    [
        "An error occurred (NoSuchKey) when calling the GetObject operation: Unknown",
        "[Errno 2] No such file or directory: '/store/files/md5/3a/08fe7b8c4da6ed09f21c3ef97efce2'",
    ],
)
def test_what_a_remote_has_lost_is_told_from_what_is_damaged(reason):
    lost = Object(Path("raw"), "raw", "b821bf48.dir", "b821bf48.dir")
    other = Object(Path("table.csv"), "table.csv", "77aa", "77aa")
    ended = failed(f"ERROR: failed to transfer '3a08fe7b8c4da6ed09f21c3ef97efce2' - {reason}")
    error = shortfall([lost, other], Remote("s", "s3://b/x", None, None, True), ended)
    assert error.message.startswith("`raw`: lost in the remote s3://b/x")
    assert "s3://b/x/files/md5/b8/21bf48.dir" in error.hint


def test_silence_is_told_by_its_exit_code():
    assert complaint("add", Ended(3, "", "")).message == "`dvc add` failed: exit code 3"

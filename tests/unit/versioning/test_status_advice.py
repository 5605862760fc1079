"""What `data status` says to type next."""

import pytest

from skincli.cli.versioning import next_step
from skincli.versioning.pointers import Pinned
from skincli.versioning.status import DataStatus

RAW = (Pinned("raw", "0123.dir", 10, 2),)
FILE = ("data/synthetic/raw/a.jpg",)


@pytest.mark.parametrize(
    ("found", "command"),
    [
        (DataStatus(raw=()), "data version"),
        (DataStatus(raw=RAW, pulled=True), None),
        (DataStatus(raw=RAW, deleted=FILE), "data pull"),
        (DataStatus(raw=RAW, pulled=True, deleted=FILE), "data pull --force"),
        (DataStatus(raw=RAW, pulled=True, deleted=FILE, settings=("seed",)), "data pull --force"),
        (DataStatus(raw=RAW, pulled=True, deleted=FILE, added=FILE), "data version"),
        (DataStatus(raw=RAW, pulled=True, modified=FILE), "data version"),
        (DataStatus(raw=RAW, pulled=True, settings=("seed",)), "data version"),
        (DataStatus(raw=RAW, pulled=True, unpushed=FILE), "data push"),
    ],
)
def test_the_next_step_loses_nothing(found, command):
    assert next_step(found) == command

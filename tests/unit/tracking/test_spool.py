"""The spool: whole lines in order, whatever happened to the file in between."""

import json

import pytest
from disks import no_file_beyond

from skincli.errors import SkincliError
from skincli.tracking.run_folder import folder_errors
from skincli.tracking.spool import Event, Spool, catch_up


def loss(step: int) -> Event:
    return Event(kind="metrics", values={"loss": step / 10}, step=step, time=1000 + step)


@pytest.fixture
def spool(folder) -> Spool:
    return Spool(folder.spool)


@pytest.fixture
def three(spool) -> list[Event]:
    events = [loss(step) for step in range(3)]
    for event in events:
        spool.append(event)
    return events


def read(spool: Spool, offset: int = 0) -> list[Event]:
    return [event for event, _ in spool.read(offset)]


def test_events_come_back_in_order_and_from_every_offset(spool, three):
    found = list(spool.read(0))
    assert [event for event, _ in found] == three
    for done, (_, after) in enumerate(found, 1):
        assert read(spool, after) == three[done:]
    assert found[-1][1] == spool.path.stat().st_size
    assert spool.last("metrics") == three[-1]
    assert spool.last("status") is None


def test_no_spool_is_an_empty_one(spool):
    assert read(spool) == []
    assert spool.last("metrics") is None


def test_a_line_without_its_end_is_none_yet(spool, three):
    whole = spool.path.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[-1]) + 1):
        spool.path.write_bytes(whole[:-cut])
        assert read(spool) == three[:2]
    spool.append(loss(7))
    assert read(spool) == [*three[:2], loss(7)]


@pytest.mark.parametrize(
    "damage",
    [
        b"\0\0\0\0\n",
        b"\xff\xfe\n",
        b'{"kind": "metrics"\n',
        b'["a list"]\n',
        b"7\n",
        b"\n",
        b'{"kind": "of a later skincli", "values": {}}\n',
        b'{"kind": "metrics", "values": 1}\n',
        b'{"kind": "metrics", "values": {}, "unknown": 1}\n',
    ],
)
def test_a_damaged_line_is_passed_over_and_costs_no_other(spool, three, damage):
    first, *others = spool.path.read_bytes().splitlines(keepends=True)
    spool.path.write_bytes(b"".join([first, damage, *others]))
    assert read(spool) == three
    assert read(spool, len(first)) == three[1:]
    assert read(spool, len(first) + len(damage)) == three[1:]


@pytest.mark.parametrize("offset", [1, 30, 10_000])
def test_an_offset_that_is_none_of_this_file_means_the_beginning(spool, three, offset):
    assert read(spool, offset) == three


def test_values_survive_as_they_are(spool):
    odd = Event(kind="metrics", values={"a": float("nan"), "b": float("inf"), "c": 1e-300})
    spool.append(odd)
    [found] = read(spool)
    assert json.dumps(dict(found.values)) == json.dumps(dict(odd.values))
    text = Event(kind="params", values={"name": 'ümläut "quoted"\nand more', "2": ""})
    spool.append(text)
    assert read(spool)[-1] == text


def test_a_full_disk_leaves_the_spool_as_it_was_and_is_called_by_its_name(spool, three, folder):
    size = spool.path.stat().st_size
    with (
        no_file_beyond(size + 20),
        pytest.raises(SkincliError, match="the disk is full") as caught,
        folder_errors(folder.path),
    ):
        spool.append(loss(3))
    assert "last checkpoint is kept" in caught.value.message
    assert "--resume" in caught.value.hint
    assert spool.path.stat().st_size == size
    spool.append(loss(3))
    assert read(spool) == [*three, loss(3)]


def test_epochs_that_only_the_table_has_are_caught_up_with_once(spool, folder):
    assert catch_up(folder) == -1
    for epoch in range(3):
        folder.append_metrics({"epoch": epoch, "loss": epoch / 10})
    spool.append(loss(0))
    for _ in range(2):
        assert catch_up(folder) == 2
        assert [(e.step, dict(e.values)) for e in read(spool)] == [
            (step, {"loss": step / 10}) for step in range(3)
        ]

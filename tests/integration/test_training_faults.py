"""A full disk and a loss that is no number: what happened is said, and nothing is lost."""

import os
import subprocess
from contextlib import suppress

import pytest
import torch
from disks import no_file_beyond
from trainings import Heard, Training, figures, largest_difference, saved, small, weights_hash

from skincli.bundle import open_bundle
from skincli.errors import SkincliError
from skincli.tracking.run_folder import RunFolder
from skincli.training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")
_SIZE = 8_000_000


class SmallDisk:
    """A file system of its own that `leave` fills up to so many bytes.

    Where it may not be mounted, the system lets no file grow beyond as many instead.
    """

    def __init__(self, path):
        self.path = path
        self.path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(path)]
        with suppress(OSError):
            subprocess.run(mount, check=False, capture_output=True)
        self.mounted = os.path.ismount(path)
        self._limit = None

    def leave(self, size):
        if self.mounted:
            (self.path / "ballast").unlink(missing_ok=True)
            free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize
            (self.path / "ballast").write_bytes(bytes(max(0, free - size)))
        else:
            self._limit = no_file_beyond(size)
            self._limit.__enter__()

    def make_room(self):
        (self.path / "ballast").unlink(missing_ok=True)
        if self._limit is not None:
            self._limit.__exit__(None, None, None)
            self._limit = None


@pytest.fixture
def disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.make_room()
    if disk.mounted:
        subprocess.run(["umount", "-l", str(disk.path)], check=True)


@pytest.fixture
def on_disk(config, disk):
    config = small(config)
    config.run.root = str(disk.path / "runs")
    config.checkpoint.every = 1e-9
    config.tracking.uri = "none"
    return config


def test_checkpoints_that_find_no_room_do_not_stop_the_training(on_disk, disk, tmp_path):
    heard, whole = Heard(), Training(small(on_disk), tmp_path / "whole")
    whole.run()
    disk.leave(200_000)  # enough for figures and pictures, and too little for a checkpoint

    def room_in_time(epoch, _):
        if epoch == 1:
            [path] = (disk.path / "runs").iterdir()
            assert list((path / "checkpoints").iterdir()) == []  # no half of one either
            disk.make_room()

    result = train(on_disk, heard, on_epoch=room_in_time)
    told = [text for text in heard.warnings if "no checkpoint was written" in text]
    assert {text.split("`")[1].rpartition("/")[2] for text in told} == {"best.ckpt", "last.ckpt"}
    reasons = ("No space left on device", "File too large")
    assert all(any(reason in text for reason in reasons) for text in told)
    assert all("training goes on" in text for text in told)
    assert largest_difference(figures(RunFolder(result.folder)), figures(whole.folder)) <= 1e-6
    ours, theirs = saved(RunFolder(result.folder), "best.ckpt"), saved(whole.folder, "best.ckpt")
    torch.testing.assert_close(ours["state_dict"], theirs["state_dict"], rtol=0, atol=0)
    assert open_bundle(result.folder / "bundle").digest == result.bundle.digest


def test_a_training_without_any_checkpoint_says_so_and_begins_again(config, tmp_path):
    training, whole = (Training(small(config), tmp_path / "runs") for _ in range(2))
    expected = weights_hash(whole.run())
    with no_file_beyond(200_000), pytest.raises(SkincliError, match="no weights are left") as told:
        training.run()
    assert "make room" in told.value.hint
    assert any("File too large" in text for text in training.heard.warnings)
    assert weights_hash(training.run(resume=True)) == expected


def test_a_disk_without_any_room_ends_the_run_which_goes_on_when_there_is_some(
    on_disk, disk, monkeypatch, tmp_path
):
    whole = Training(small(on_disk), tmp_path / "whole")
    whole.run()

    def fill(epoch, _):
        if epoch == 0:
            disk.leave(0)

    # Short lines may still find room where the disk counts in pages.
    message = "the disk is full; its last checkpoint is kept|no checkpoint could be written"
    with pytest.raises(SkincliError, match=message) as told:
        train(on_disk, Heard(), on_epoch=fill)
    assert "make room" in told.value.hint
    assert "train --resume" in told.value.hint
    [path] = (disk.path / "runs").iterdir()
    folder = RunFolder(path)
    assert saved(folder)["global_step"] == 2
    disk.make_room()
    # Nor could the end be written down. Another process sees that this one is gone.
    monkeypatch.setattr("skincli.tracking.run_folder.is_alive", lambda _: False)
    result = train(on_disk, Heard(), resume=True)
    assert (result.folder, folder.state().status) == (path, "FINISHED")
    assert largest_difference(figures(folder), figures(whole.folder)) <= 1e-6


def test_a_loss_that_is_no_number_is_said_and_never_saved(config, tmp_path):
    config = small(config)
    config.checkpoint.every, config.optimizer.lr = 1e-9, 1e30
    training = Training(config, tmp_path / "runs")
    with pytest.raises(SkincliError, match="not a finite number in epoch 1") as caught:
        training.run()
    assert "optimizer.lr" in caught.value.hint
    weights = saved(training.folder)["current_model_state"]
    assert all(torch.isfinite(value).all() for value in weights.values())

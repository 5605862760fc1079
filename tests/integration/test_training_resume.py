"""Killed after any checkpoint, a training goes on as if nothing had been."""

from types import SimpleNamespace

import pytest
import torch
from trainings import Killed, Training, figures, largest_difference, saved, small, weights_hash

from skincli.training import checkpoints
from skincli.training.module import schedule_at

OPTIONS = {
    "dice": {"model.drop_path": 0.3, "augment.mixup": 0.3, "optimizer.layer_decay": 0.7},
    "frozen": {"train.frozen_epochs": 2},
    "last": {"checkpoint.keep": "last", "optimizer.ema_epochs": 0.0},
    "patience": {"trainer.patience": 1, "trainer.max_epochs": 6},
    "bf16": {"trainer.precision": "bf16-mixed"},
}


pytestmark = pytest.mark.usefixtures("one_thread")


def set_to(config, options):
    for key, value in options.items():
        section, name = key.split(".")
        setattr(getattr(config, section), name, value)


class Disk:
    """Counts the checkpoints that are written; the training is killed after number `last`."""

    def __init__(self, monkeypatch, last=0):
        self.written = []
        write = checkpoints.AtomicFiles.save_checkpoint

        def counted(io, checkpoint, path, storage_options=None):
            write(io, checkpoint, path, storage_options)
            self.written.append(checkpoint["global_step"])
            if len(self.written) == last:
                raise Killed

        monkeypatch.setattr(checkpoints.AtomicFiles, "save_checkpoint", counted)


def killed_after(number, training, monkeypatch):
    """Returns the steps that were trained, those that the resume repeats included."""
    with monkeypatch.context() as patch:
        Disk(patch, number)
        with pytest.raises(Killed):
            training.run()
    return training.run(resume=True)


@pytest.mark.parametrize("options", OPTIONS)
def test_whenever_it_is_killed_the_figures_and_the_weights_come_out_the_same(
    config, tmp_path, monkeypatch, options
):
    config = small(config)
    config.checkpoint.every = 1e-9
    set_to(config, OPTIONS[options])
    whole = Training(config, tmp_path / "runs")
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        network = whole.run()
    assert len(disk.written) > 2 * len(figures(whole.folder))
    stride = 1 if options == "dice" else 2
    for number in range(1, len(disk.written) + 1, stride):
        resumed = Training(config, tmp_path / "runs")
        again = killed_after(number, resumed, monkeypatch)
        assert largest_difference(figures(resumed.folder), figures(whole.folder)) <= 1e-6
        assert weights_hash(again) == weights_hash(network)


def test_optimizer_running_mean_and_schedule_are_those_of_an_uninterrupted_run(
    config, tmp_path, monkeypatch
):
    config = small(config)
    config.checkpoint.every, config.checkpoint.keep = 1e-9, "last"
    whole, resumed = (Training(config, tmp_path / "runs") for _ in range(2))
    whole.run()
    killed_after(3, resumed, monkeypatch)
    ours, theirs = saved(resumed.folder), saved(whole.folder)
    for key in ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=0, atol=0)
    assert ours["global_step"] == theirs["global_step"] == 9


def test_the_number_of_epochs_and_other_free_settings_may_change(config, tmp_path, monkeypatch):
    config = small(config)
    config.checkpoint.every = 1e-9
    training = Training(config, tmp_path / "runs")
    with monkeypatch.context() as patch:
        Disk(patch, 5)
        with pytest.raises(Killed):
            training.run()
    begun = figures(training.folder)
    config.trainer.max_epochs, config.trainer.patience, config.checkpoint.every = 5, 0, 60.0
    training.run(resume=True)
    rows = figures(training.folder)
    assert (rows[: len(begun)], len(rows)) == (begun, 5)
    # The rate after the last step of an epoch, on the schedule of the new length.
    expected = [0.003 * schedule_at(3 * epoch, 15, 0.1) for epoch in (3, 4, 5)]
    assert [row["learning_rate"] for row in rows[2:]] == pytest.approx(expected, rel=1e-3)


def test_a_training_that_has_ended_early_trains_no_more(config, tmp_path, monkeypatch):
    config = small(config)
    set_to(config, OPTIONS["patience"])
    training = Training(config, tmp_path / "runs")
    training.run()
    rows = len(figures(training.folder))
    assert rows < 6
    training.run(resume=True)
    assert len(figures(training.folder)) == rows
    config.trainer.patience = 6  # nor does it hold to an old setting
    training.run(resume=True)
    assert len(figures(training.folder)) == 6


def test_a_kill_costs_no_more_than_it_may(config, tmp_path, monkeypatch):
    """On a clock that a step moves by 7 s and a batch of validation by 5 s."""
    config = small(config)
    config.checkpoint.every, config.trainer.max_epochs = 60.0, 8
    clock, costs, since = [0.0], [], [0.0]
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    module = "skincli.training.module.LesionModule"

    def passing(name, seconds):
        def passed(*_):
            clock[0] += seconds
            costs.append(clock[0] - since[0])

        monkeypatch.setattr(f"{module}.{name}", passed, raising=False)

    passing("on_train_batch_start", 7)
    passing("on_validation_batch_start", 5)
    write = checkpoints.LastCheckpoint._save

    def save(*arguments):
        write(*arguments)
        since[0] = clock[0]

    monkeypatch.setattr(checkpoints.LastCheckpoint, "_save", save)
    Training(config, tmp_path / "runs").run()
    assert 30 < max(costs) <= 60

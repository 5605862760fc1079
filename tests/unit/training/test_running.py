"""Whatever ends a training ends all its processes, and is told as what it is."""

import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from skincli.errors import Interrupted, SkincliError
from skincli.training.interruption import Interruption
from skincli.training.running import run_trainer

LOST = RuntimeError("[gloo/transport/tcp/pair.cc:545] Connection closed by peer")


class Trainer(SimpleNamespace):
    """Trains until an error; `procs` are the others that Lightning started."""

    def fit(self, *_, **__):
        raise self.error


@pytest.fixture
def other():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def end_with(error, others=(), number=0, world_size=2):
    launcher = _SubprocessScriptLauncher(None, world_size, 1)
    launcher.procs = list(others)
    trainer = Trainer(
        error=error, world_size=world_size, strategy=SimpleNamespace(launcher=launcher)
    )
    interruption = Interruption()
    interruption.number = number
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        run_trainer(trainer, None, None, None, None, interruption)
    return caught.value, launcher


@pytest.mark.parametrize("error", [SkincliError("no"), LOST, Interrupted(signal.SIGINT)])
def test_the_others_end_and_lightnings_watcher_of_them_sees_none(other, error):
    _, launcher = end_with(error, [other])
    assert other.poll() == -signal.SIGKILL
    assert launcher.procs == []  # it kills this process when one of them has failed


def test_a_lost_process_is_told_from_an_error_of_our_own():
    lost, _ = end_with(LOST)
    assert "another of the 2 processes that train together ended" in lost.message
    assert "--resume" in lost.hint
    assert lost.__cause__ is LOST
    own = RuntimeError("shapes do not match")
    assert end_with(own)[0] is own
    assert end_with(LOST, world_size=1)[0] is LOST


def test_a_process_that_went_first_on_a_signal_has_not_failed():
    told, _ = end_with(LOST, number=signal.SIGTERM)
    assert isinstance(told, Interrupted)
    assert told.exit_code == 143


def test_a_full_gpu_is_said_so():
    told, _ = end_with(torch.OutOfMemoryError("tried to allocate 2 GiB"), world_size=1)
    assert "memory is full: tried to allocate 2 GiB" in told.message
    assert "data.batch_size" in told.hint


def test_a_second_signal_ends_the_work_at_once():
    interruption = Interruption()
    before = signal.getsignal(signal.SIGTERM)
    with interruption.listening():
        signal.raise_signal(signal.SIGINT)
        assert interruption.number == signal.SIGINT
        with pytest.raises(Interrupted) as caught:
            signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == before

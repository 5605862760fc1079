"""What several processes need, said before any work."""

import signal
import subprocess
import sys
import time

import pytest
import torch

from skincli.config.schema import Config
from skincli.errors import ConfigError, Interrupted
from skincli.training.device import choose_device
from skincli.training.ranks import end_with_leader, global_rank

CPU = torch.device("cpu")


@pytest.fixture
def config():
    config = Config()
    config.trainer.accelerator = "cpu"
    return config


@pytest.mark.parametrize(
    ("section", "name", "value", "reason"),
    [
        ("data", "batch_size", 33, "batch_size=33 cannot be shared by 2"),
        ("train", "frozen_epochs", 1, "frozen_epochs works on one device"),
        ("train", "mode", "probe", "mode=probe works on one device"),
        ("trainer", "precision", "16-mixed", "16-mixed needs a GPU"),
    ],
)
def test_what_does_not_go_together_is_refused(config, section, name, value, reason):
    config.trainer.devices = 2
    assert choose_device(config) == CPU
    setattr(getattr(config, section), name, value)
    with pytest.raises(ConfigError, match=reason):
        choose_device(config)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(config):
    config.trainer.accelerator = "cuda"
    with pytest.raises(ConfigError, match="torch sees no GPU"):
        choose_device(config)


def test_a_network_that_crashes_torch_is_refused_by_name(config):
    config.model.backbone, config.model.width, config.data.image_size = "small_resnet", 8, 96
    assert choose_device(config) == CPU
    config.data.image_size = 128
    with pytest.raises(ConfigError, match="torch may crash") as caught:
        choose_device(config)
    assert "channels_last=false" in caught.value.hint
    config.trainer.channels_last = False
    assert choose_device(config) == CPU


def test_a_process_that_was_started_alone_does_not_wait_for_other_machines(config):
    config.trainer.num_nodes = 2
    with pytest.raises(ConfigError, match="started alone") as caught:
        global_rank(config, CPU)
    assert "torchrun" in caught.value.hint
    assert "srun" in caught.value.hint


def test_processes_of_torchrun_do_not_each_train_a_run_of_their_own(config, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert global_rank(config, CPU) == 0  # left over from something else
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(ConfigError, match="torchrun started 2 processes") as caught:
        global_rank(config, CPU)
    assert "trainer.devices" in caught.value.hint


def test_a_process_ends_with_its_leader(monkeypatch):
    follower = (
        "import os, time; from skincli.training.ranks import end_with_leader; end_with_leader();"
        " print(os.getpid(), flush=True); time.sleep(60)"
    )
    leader = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {follower!r}])"
    process = subprocess.Popen([sys.executable, "-c", leader], stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline())
    began = time.monotonic()
    process.send_signal(signal.SIGKILL)
    assert process.stdout.read() == ""  # until the follower's end of the pipe is closed too
    assert time.monotonic() - began < 30
    process.communicate()
    monkeypatch.setenv("SKINCLI_LEADER", str(pid))  # which is gone, and not our parent
    with pytest.raises(Interrupted):
        end_with_leader()

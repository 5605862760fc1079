"""The tracking server dies, hangs or is away while a real training runs: nothing is lost."""

import copy
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from commands import skincli, spawn
from stores import Stored

from skincli.config.load import to_yaml
from skincli.progress import Silent
from skincli.tracking import server
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.stored_runs import end_stale_runs

EPOCHS = 25
# Calls to a server that hangs are given up after so long, else 20 s and once more.
SHORT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}


@pytest.fixture(scope="module")
def at_home(synthetic_config, empty_database, tmp_path_factory):
    """The config of a server on a store of its own, which runs."""
    folder = tmp_path_factory.mktemp("server")
    config = copy.deepcopy(synthetic_config)
    shutil.copyfile(empty_database, folder / "mlflow.db")
    config.tracking.uri = f"sqlite:///{folder}/mlflow.db"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        config.tracking.port = probe.getsockname()[1]
    server.start(config.tracking, Silent())
    yield config
    send(config, signal.SIGCONT)
    server.stop(config.tracking)


def send(at_home, number):
    """A signal to the server and all its workers."""
    found = server.status(at_home.tracking)
    if found.running:
        os.killpg(found.state.pid, number)


@pytest.fixture
def project(at_home, tmp_path):
    """A working folder whose skincli.yaml names the server, and a short training."""
    config = copy.deepcopy(at_home)
    config.tracking.uri = f"http://127.0.0.1:{at_home.tracking.port}"
    config.tracking.experiment = f"outage of {tmp_path.name}"
    config.model.backbone, config.model.pretrained, config.model.width = "small_resnet", False, 8
    config.trainer.accelerator = "cpu"
    config.trainer.max_epochs, config.trainer.patience = EPOCHS, 0
    config.optimizer.lr = 0.003
    (tmp_path / "skincli.yaml").write_text(to_yaml(config))
    return tmp_path


@pytest.fixture
def stored(project, at_home):
    tracking = copy.deepcopy(at_home.tracking)
    tracking.uri = f"http://127.0.0.1:{tracking.port}"
    tracking.experiment = f"outage of {project.name}"
    return Stored(tracking)


def begun(project, *words):
    """Start training, and wait until two epochs are done."""
    process = spawn(project, "train", *words, **SHORT)
    wait_for_epochs(project, process, 2)
    return process


def wait_for_epochs(project, process, count):
    deadline = time.monotonic() + 120
    while not (done := sorted((project / "runs").glob("*/metrics.csv"))) or (
        len(done[-1].read_text().splitlines()) <= count
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def only_run(project):
    [path] = (project / "runs").iterdir()
    return RunFolder(path)


def command_in(err):
    return shlex.split(re.search(r"`skincli (track publish .*)` sends it", err)[1])


def require_everything(stored, project, epochs=EPOCHS):
    """All of the run, each epoch of each figure once, under one id."""
    folder, run = only_run(project), stored.run()
    assert run.info.run_id == folder.state().run_id
    assert run.info.status == "FINISHED"
    assert run.data.params["trainer.max_epochs"] == str(epochs)
    assert len(run.data.params) > 100
    rows = folder.read_metrics()
    assert [row["epoch"] for row in rows] == list(range(epochs))
    names = set(rows[0]) - {"epoch"}
    assert "train_loss" in names
    assert set(run.data.metrics) == names
    for name in names:
        assert [step for step, _ in stored.points(name)] == list(range(epochs)), name
    files = {"config.yaml", "environment.json", "metrics.csv", "curves.png", "classes.csv"}
    assert files <= stored.files()
    [model] = stored.models()
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]


@pytest.mark.slow
def test_a_server_that_is_killed_costs_no_training_and_gets_everything_later(
    project, at_home, stored
):
    process = begun(project)
    send(at_home, signal.SIGKILL)
    folder = only_run(project)
    assert len(folder.read_metrics()) < EPOCHS
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert folder.state().status == "FINISHED"
    assert len(folder.read_metrics()) == EPOCHS
    assert "Trained 25 epochs" in out
    assert err.count("training goes on") == 1
    assert "Traceback" not in err
    assert "Retrying" not in err
    command = command_in(err)
    assert str(folder.path) in command

    # Nor is a new run begun for a server that is not there.
    refused = skincli(project, "train", code=1)
    assert "does not answer" in refused.err
    assert "skincli track start" in refused.err
    assert only_run(project) == folder

    server.start(at_home.tracking, Silent())
    told = skincli(project, *command)
    assert f"Run {folder.state().run_id}, FINISHED: sent " in told.out
    assert f"skincli evaluate {folder.state().run_id}" in told.err
    require_everything(stored, project)


@pytest.mark.slow
def test_a_server_that_dies_after_training_leaves_no_run_running_and_none_half_logged(
    project, at_home, stored
):
    process = spawn(project, "train", "trainer.max_epochs=3", **SHORT)
    wait_for_epochs(project, process, 3)
    send(at_home, signal.SIGSTOP)
    folder = only_run(project)
    while not (folder.bundle / "bundle.json").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    send(at_home, signal.SIGKILL)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert folder.state().status == "FINISHED"

    server.start(at_home.tracking, Silent())
    run = stored.run()
    assert (run.info.status, stored.models()) == ("RUNNING", [])
    # Whoever comes next ends it, and what it lacks is known to its folder.
    assert end_stale_runs(stored.client, stored.config) == [run.info.run_id]
    assert stored.run().info.status == "KILLED"
    skincli(project, *command_in(err))
    require_everything(stored, project, 3)


@pytest.mark.slow
def test_a_server_that_hangs_and_a_training_that_is_killed_and_goes_on_are_one_run_in_the_end(
    project, at_home, stored
):
    process = begun(project)
    send(at_home, signal.SIGSTOP)
    try:
        wait_for_epochs(project, process, 6)
        process.kill()
        process.communicate(timeout=60)
        assert only_run(project).state().status == "RUNNING"
        resumed = skincli(project, "train", "--resume", **SHORT)
        assert resumed.err.count("training goes on") <= 1
        assert only_run(project).state().status == "FINISHED"
    finally:
        send(at_home, signal.SIGCONT)
    skincli(project, *command_in(resumed.err))
    require_everything(stored, project)


# The server falls silent in the middle of the run, and a call to it would be given up after hours.
_HUNG = """
import os, signal, sys
from skincli.config.load import load_config
from skincli.progress import Silent
from skincli.tracking import runs

class Said(Silent):
    def warn(self, message):
        print(message)

runs.FINISH_SECONDS = 1.0
with runs.recorded_run(load_config([]).config, "hung", "", None, Said()) as recorder:
    recorder._sender.wake()
    os.killpg(int(sys.argv[1]), signal.SIGSTOP)
    for epoch in range(100):
        recorder.metrics({"loss": 1.0}, epoch)
"""


def test_a_call_that_never_returns_holds_no_process_back_from_its_end(project, at_home):
    server_id = str(server.status(at_home.tracking).state.pid)
    environ = os.environ | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "36000"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _HUNG, server_id],
            cwd=project,
            env=environ,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    finally:
        send(at_home, signal.SIGCONT)
    assert (done.returncode, done.stderr) == (0, "")
    folder = only_run(project)
    assert folder.state().status == "FINISHED"
    assert len(folder.read_metrics()) == 100
    assert "skincli track publish" in done.stdout
    skincli(project, *command_in(done.stdout))

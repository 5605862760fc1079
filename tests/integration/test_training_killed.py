"""Real processes, really killed: the same run goes on, and ends as if nothing had been."""

import signal

import pytest
from commands import INSTRUMENTED, skincli
from trainings import Training, figures, largest_difference, saved, small

from skincli.bundle import open_bundle
from skincli.config.load import to_yaml
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.store import connect


@pytest.fixture
def project(config, tmp_path):
    """A working folder whose skincli.yaml trains, and saves after every step that it may."""
    config = small(config)
    config.checkpoint.every = 1e-9
    (tmp_path / "skincli.yaml").write_text(to_yaml(config))
    return tmp_path


@pytest.fixture
def whole(config, tmp_path, one_thread):
    """The figures of a training that nothing interrupts."""
    training = Training(small(config), tmp_path / "alone")
    training.run()
    return figures(training.folder)


def struck(project, strike, code, *words):
    """Train until the strike; returns the folder of the one run and what was said."""
    done = skincli(project, "train", *words, program=INSTRUMENTED, code=code, STRIKE=strike)
    [path] = (project / "runs").iterdir()
    return RunFolder(path), done.err


def finish(project, config, run_id, whole):
    """Go on to the end, and require what an uninterrupted training gives."""
    done = skincli(project, "train", "--resume", "--json", program=INSTRUMENTED)
    folder = RunFolder(project / "runs" / done.data["folder"])
    assert done.data["run_id"] == run_id
    assert largest_difference(figures(folder), whole) <= 1e-6
    assert open_bundle(folder.bundle).digest == done.data["bundle_digest"]
    client = connect(config.tracking)
    assert client.get_run(run_id).info.status == folder.state().status == "FINISHED"
    history = client.get_metric_history(run_id, "train_loss")
    assert [point.step for point in history] == [0, 1, 2]
    assert [point.value for point in history] == [row["train_loss"] for row in whole]


@pytest.mark.slow
def test_a_run_killed_outright_in_mid_epoch_in_validation_and_in_sealing_goes_on(
    project, config, whole
):
    folder, _ = struck(project, "step:5:SIGKILL", -signal.SIGKILL)
    run_id = folder.state().run_id
    assert (folder.state().status, len(figures(folder))) == ("RUNNING", 1)
    assert connect(config.tracking).get_run(run_id).info.status == "RUNNING"
    assert saved(folder)["global_step"] == 4  # only the step that it died in is done again
    struck(project, "validation:2:SIGKILL", -signal.SIGKILL, "--resume")
    assert len(figures(folder)) == 1
    struck(project, "sealing:1:SIGKILL", -signal.SIGKILL, "--resume")
    assert len(figures(folder)) == 3
    assert saved(folder)["global_step"] == 9  # nothing is trained again
    assert not folder.bundle.exists()
    finish(project, config, run_id, whole)


@pytest.mark.slow
def test_a_signal_saves_and_ends_the_run_as_killed(project, config, whole):
    # In mid-epoch; in a validation, after which the epoch is whole; and in the last of all.
    strikes = [("step:2:SIGTERM", 143), ("validation:1:SIGINT", 130), ("validation:4:SIGTERM", 143)]
    for number, (strike, code) in enumerate(strikes):
        words = ["--resume"] if number else []
        folder, said = struck(project, strike, code, *words)
        assert "interrupted" in said
        assert "`train --resume` goes on" in said
        run_id = folder.state().run_id
        told = connect(config.tracking).get_run(run_id).info.status
        assert told == folder.state().status == "KILLED"
        assert saved(folder)["global_step"] == (2, 3, 9)[number]
        assert len(figures(folder)) == (0, 1, 3)[number]
    assert not folder.bundle.exists()
    finish(project, config, run_id, whole)

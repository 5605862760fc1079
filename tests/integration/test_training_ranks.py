"""Two gloo processes on the CPU train as one does, and none of them outlives the others."""

import copy
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import INSTRUMENTED, SKINCLI, skincli
from instrumented import before, keep_norms
from trainings import Training, figures, largest_difference, small

from skincli.config.load import to_yaml
from skincli.data import prepare
from skincli.evaluation.metrics import compute_metrics
from skincli.inference.engine import decide, malignant_probability, softmax
from skincli.progress import Silent
from skincli.taxonomy import classes_of
from skincli.tracking.run_folder import RunFolder
from skincli.tracking.store import connect
from skincli.training.fit import build_network, kept, train_batches
from skincli.training.module import LesionModule, class_weights

TORCHRUN = (
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    *("-m", "skincli"),
)
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def write_project(config, folder):
    folder.mkdir(exist_ok=True)
    (folder / "skincli.yaml").write_text(to_yaml(config))
    return folder


def run_of(project):
    [path] = (project / "runs").iterdir()
    return RunFolder(path)


@pytest.fixture
def two(config, tmp_path):
    config = small(config)
    config.trainer.devices = 2
    config.data.batch_size = 16  # validation: 3 batches for the first process, 2 for the other
    config.checkpoint.every = 1e-9
    config.run.root = "runs"
    return config


class Both:
    """The batches of both ranks as one, for one process."""

    def __init__(self, config, images):
        self.ranks = [train_batches(config, images, rank) for rank in (0, 1)]
        self.images_per_step = self.ranks[0].images_per_step

    @property
    def epoch(self):
        return self.ranks[0].epoch

    @epoch.setter
    def epoch(self, epoch):
        for batches in self.ranks:
            batches.epoch = epoch

    def __len__(self):
        return len(self.ranks[0])

    def __iter__(self):
        for pair in zip(*self.ranks, strict=True):
            yield tuple(torch.cat(parts) for parts in zip(*pair, strict=True))


@pytest.mark.slow
def test_two_processes_do_what_one_does_with_the_same_batches(
    two, tmp_path, monkeypatch, one_thread
):
    """Norm statistics are per process by nature, so here they stay as they were at the start."""
    two.model.dropout = 0.0
    project = write_project(two, tmp_path / "two")
    (project / "seen").mkdir()
    skincli(project, "train", program=INSTRUMENTED, SEEN=str(project / "seen"), STEADY="1")
    rows = figures(run_of(project))
    require_fair_shares(project / "seen", prepare(two, Silent()).prepared, epochs=3)

    one = copy.deepcopy(two)
    one.trainer.devices = 1
    monkeypatch.setattr("skincli.training.fit.train_batches", lambda *given: Both(two, given[1]))
    with monkeypatch.context() as patch:
        patch.setattr(LesionModule, "training_step", LesionModule.training_step)  # to be restored
        before(LesionModule, "training_step", lambda module, *_: keep_norms(module))
        alone = Training(one, tmp_path / "one")
        alone.run()
    assert largest_difference(rows, figures(alone.folder)) <= 1e-6


def require_fair_shares(seen, prepared, epochs):
    """As many images for each process; in an epoch none twice; and each once in validation."""
    learned, measured = [set(prepared.rows(part).tolist()) for part in ("train", "validation")]
    ranks = [
        [json.loads(line) for line in (seen / f"{rank}.jsonl").read_text().splitlines()]
        for rank in (0, 1)
    ]
    training = [[batch for batch in batches if batch[0] in learned] for batches in ranks]
    assert [[len(batch) for batch in batches] for batches in training] == [[8] * 5 * epochs] * 2
    for epoch in range(epochs):
        shown = [row for batches in training for batch in batches[5 * epoch :][:5] for row in batch]
        assert len(set(shown)) == len(shown) == 80
        assert set(shown) <= learned
    scored = sorted(row for batches in ranks for batch in batches for row in batch)
    scored = [row for row in scored if row in measured]
    assert scored == sorted(list(measured) * epochs)


def validated(config, folder):
    """The validation figures of the kept weights, taken by one process over all images."""
    prepared, classes = prepare(config, Silent()).prepared, classes_of(config.task)
    network = build_network(config)
    epoch = kept(config, network, folder).epoch
    labels, rows = prepared.labels(config.task), prepared.rows("validation")
    images = torch.from_numpy(prepared.images[rows]).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        logits = network(images)
    counts = np.bincount(labels[prepared.rows("train")], minlength=len(classes))
    loss = torch.nn.CrossEntropyLoss(
        class_weights(counts.tolist(), config.loss.class_weight_power)
    )(logits, torch.from_numpy(labels[rows]))
    scores = softmax(logits.numpy())
    found = compute_metrics(
        labels[rows],
        scores,
        decide(scores, class_weights(counts.tolist(), config.calibration.decision_power).tolist()),
        malignant_probability(scores, classes),
        classes,
        0.5,
    )
    return epoch, {
        "validation_loss": loss.item(),
        "validation_balanced_accuracy": found.balanced_accuracy,
        "validation_macro_auroc": found.macro_auroc,
    }


def require_none_left(project):
    """No process that works in the project is there for long."""
    for _ in range(100):
        left = [path for path in Path("/proc").glob("[0-9]*/cwd") if works_in(path, project)]
        if not left:
            return
        time.sleep(0.1)
    pytest.fail(f"still there: {left}")


def works_in(path, project):
    try:
        return path.readlink() == project
    except OSError:
        return False


@pytest.mark.slow
def test_torchrun_gives_one_run_and_a_killed_one_goes_on_to_the_same_figures(two, tmp_path):
    whole = write_project(two, tmp_path / "whole")
    skincli(whole, "train", program=TORCHRUN, **ONE_THREAD)
    rows = figures(run_of(whole))
    client = connect(two.tracking)
    [experiment] = client.search_experiments(filter_string="name = 'skincli'")
    [run] = client.search_runs([experiment.experiment_id])
    assert (run.info.run_id, run.info.status) == (run_of(whole).state().run_id, "FINISHED")
    epoch, measured = validated(two, run_of(whole))
    assert {name: rows[epoch][name] for name in measured} == pytest.approx(measured, abs=1e-6)

    project = write_project(two, tmp_path / "killed")
    first = skincli(project, "train", program=INSTRUMENTED, code=1, STRIKE="step:5:SIGKILL:1")
    assert "another of the 2 processes that train together ended" in first.err
    assert run_of(project).state().status == "FAILED"
    require_none_left(project)
    # Only the second process is told; both end, in the same step.
    words = ("train", "--resume")
    skincli(project, *words, program=INSTRUMENTED, code=143, STRIKE="step:2:SIGTERM:1")
    assert run_of(project).state().status == "KILLED"
    require_none_left(project)
    skincli(project, *words, program=(SKINCLI,), **ONE_THREAD)
    assert run_of(project).state().status == "FINISHED"
    assert largest_difference(figures(run_of(project)), rows) <= 1e-6


@pytest.mark.slow
def test_processes_end_with_the_one_that_leads_them(two, tmp_path):
    project = write_project(two, tmp_path / "two")
    skincli(project, "train", program=INSTRUMENTED, code=-9, STRIKE="step:2:SIGKILL:0")
    require_none_left(project)

"""What the settings of training do to the weights."""

import pytest
import torch
from trainings import Training, figures, saved, small, weights_hash

from skincli.bundle import open_bundle
from skincli.progress import Silent
from skincli.tracking.run_folder import RunFolder
from skincli.training.fit import build_network
from skincli.training.train import train


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(config, tmp_path):
    config = small(config)
    config.model.drop_path, config.trainer.max_epochs = 0.2, 1
    hashes = [weights_hash(Training(config, tmp_path / "runs").run()) for _ in range(2)]
    assert hashes[0] == hashes[1]
    config.seed = 2**40
    assert weights_hash(Training(config, tmp_path / "runs").run()) != hashes[0]


def test_a_frozen_backbone_stays_as_it_was_and_learns_afterwards(config, tmp_path):
    config = small(config)
    config.checkpoint.keep = "last"
    config.train.frozen_epochs = config.trainer.max_epochs = 2
    start = build_network(config)
    frozen = Training(config, tmp_path / "runs").run()
    assert weights_hash(frozen.backbone) == weights_hash(start.backbone)
    assert weights_hash(frozen.head) != weights_hash(start.head)
    config.trainer.max_epochs = 3
    thawed = Training(config, tmp_path / "runs").run()
    assert weights_hash(thawed.backbone) != weights_hash(start.backbone)


def test_early_stages_learn_slower_by_the_layer_decay(config, tmp_path):
    config = small(config)
    config.optimizer.layer_decay, config.trainer.max_epochs = 0.5, 1
    training = Training(config, tmp_path / "runs")
    training.run()
    [state] = saved(training.folder)["optimizer_states"]
    rates = sorted({group["initial_lr"] for group in state["param_groups"]}, reverse=True)
    assert len(rates) >= 4
    assert rates == pytest.approx([0.003 * 0.5**n for n in range(len(rates))])
    assert all(group["fused"] for group in state["param_groups"])


def test_the_layout_in_memory_changes_no_figure(config, tmp_path):
    rows = []
    for channels_last in (True, False):
        config = small(config)
        config.trainer.channels_last, config.trainer.max_epochs = channels_last, 1
        training = Training(config, tmp_path / "runs")
        kernel = next(w for w in training.run().parameters() if w.ndim == 4 and w.shape[1] > 3)
        assert kernel.is_contiguous(memory_format=torch.channels_last) == channels_last
        rows += figures(training.folder)
    assert rows[0] == pytest.approx(rows[1], abs=1e-4)


@pytest.mark.slow
def test_a_compiled_network_trains_and_seals_a_bundle(config, tmp_path):
    config = small(config)
    config.trainer.compile, config.trainer.max_epochs = True, 1
    result = train(config, Silent())
    assert open_bundle(result.folder / "bundle").digest == result.bundle.digest
    assert result.bundle.spec.export_difference <= config.export.tolerance
    config.trainer.compile = False
    plain = Training(config, tmp_path / "plain")
    plain.run()
    [row], [expected] = figures(RunFolder(result.folder)), figures(plain.folder)
    assert row["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-3)

"""Lightning goes on in the middle of an epoch: it sees the batches it would have seen."""

import lightning.pytorch as pl
import pytest
import torch
from packs import labelled, write_pack

from skincli.config.training import AugmentConfig
from skincli.training.device import quiet_lightning
from skincli.training.input.batches import PlainBatches, TrainBatches

EPOCHS, STEPS = 3, 4


class Killed(Exception):
    pass


class Watcher(pl.LightningModule):
    """Writes down what it is shown, and is killed after a checkpoint at step `until`.

    At the end of an epoch that is after its validation, as Lightning itself does it.
    """

    def __init__(self, batches, until, path):
        super().__init__()
        torch.manual_seed(0)
        self.batches, self.until, self.path = batches, until, path
        self.layer = torch.nn.Linear(3, 40)
        self.seen = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def on_train_epoch_start(self):
        self.batches.epoch = self.current_epoch

    def training_step(self, batch, _):
        images, targets = batch
        self.seen.append((images, targets))
        return torch.nn.functional.cross_entropy(self.layer(images.mean(dim=(2, 3))), targets)

    def on_train_batch_end(self, *_):
        if self.global_step % STEPS:
            self._die_when_due()

    def on_validation_end(self):
        self._die_when_due()

    def _die_when_due(self):
        if self.global_step == self.until:
            self.trainer.save_checkpoint(self.path)
            raise Killed

    def validation_step(self, batch, _):
        pass


def run(folder, until=None, resume=None):
    pack = write_pack(folder)
    batches = TrainBatches(labelled(pack), AugmentConfig(mixup=0.3), 40, 40 // STEPS, seed=0)
    module = Watcher(batches, until, folder / "at.ckpt")
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=EPOCHS,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        validation = PlainBatches(labelled(pack), 10)
        trainer.fit(module, batches, validation, ckpt_path=resume, weights_only=False)
    return module


@pytest.mark.parametrize("until", [1, 3, 4, 6, 8, 11])
def test_a_killed_training_goes_on_with_the_next_batch(tmp_path, until):
    whole = run(tmp_path)
    assert len(whole.seen) == EPOCHS * STEPS
    with pytest.raises(Killed):
        run(tmp_path, until)
    resumed = run(tmp_path, resume=tmp_path / "at.ckpt")
    assert len(resumed.seen) == EPOCHS * STEPS - until
    for (images, targets), (expected, wanted) in zip(resumed.seen, whole.seen[until:], strict=True):
        assert torch.equal(images, expected)
        assert torch.equal(targets, wanted)
    assert torch.equal(resumed.layer.weight, whole.layer.weight)

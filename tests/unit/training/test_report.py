"""What a run leaves for people, on real prepared images; the tracking store is not asked."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bundles import tiny_bundle

from skincli.data import prepare
from skincli.progress import Silent
from skincli.tracking.run_folder import create_run_folder
from skincli.training import report as reporting
from skincli.training.input.batches import TrainBatches
from skincli.training.input.cache import DeviceCache
from skincli.training.input.dice import permutation
from skincli.training.input.labelled import LabelledImages
from skincli.training.pictures.balance import count_classes
from skincli.training.pictures.seen import see_samples
from skincli.training.report import Report
from skincli.training.start import describe_start

EPOCH = {
    "epoch": 0.0,
    "train_loss": 1.0,
    "validation_loss": 1.0,
    "validation_balanced_accuracy": 0.5,
    "validation_macro_auroc": 0.6,
    "learning_rate": 1e-3,
    "images_per_second": 10.0,
    "seconds": 1.0,
}


class Recorder:
    def __init__(self, folder):
        self.folder = folder
        self.sent = []

    def file(self, path):
        assert path.is_file()
        self.sent.append(path.name)


class Warnings(Silent):
    def __init__(self):
        self.told = []

    def warn(self, message):
        self.told.append(message)


@pytest.fixture(scope="module")
def prepared(synthetic_config):
    return prepare(synthetic_config, Silent()).prepared


@pytest.fixture
def recorder(tmp_path):
    return Recorder(create_run_folder(tmp_path, "a1b2c3d4", "first", "", "split"))


@pytest.fixture
def report(synthetic_config, prepared, recorder):
    return Report(synthetic_config, prepared, recorder, Warnings())


def test_what_there_is_to_learn_from_is_drawn_at_the_start(report, recorder):
    report.start()
    assert recorder.sent == ["balance.png", "samples.png"]


def test_curves_are_drawn_as_epochs_end_but_not_at_any_price(report, recorder, monkeypatch):
    curves, now = recorder.folder.curves, [0.0]
    monkeypatch.setattr(reporting, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(reporting, "save_png", lambda _, to: _draw(to, now))
    recorder.folder.append_metrics(EPOCH)
    for second, drawn in ((0, True), (30, False), (49, False), (51, True)):
        now[0] += second - now[0]
        curves.unlink(missing_ok=True)
        report.epoch()
        assert curves.exists() == drawn
    assert recorder.sent == []  # not every epoch: the end sends it


def _draw(to, now):
    now[0] += 1  # a second of drawing is a fiftieth of the next 50
    to.write_bytes(b"drawn")


def test_a_run_that_is_cut_off_leaves_its_curves(report, recorder):
    recorder.folder.append_metrics(EPOCH)
    with pytest.raises(KeyboardInterrupt), report.training():
        raise KeyboardInterrupt
    assert recorder.sent == ["curves.png"]


def test_one_that_is_cut_off_before_its_first_epoch_has_none_to_leave(report, recorder):
    with pytest.raises(KeyboardInterrupt), report.training():
        raise KeyboardInterrupt
    assert recorder.sent == []
    assert not recorder.folder.curves.exists()


def test_a_picture_that_cannot_be_written_costs_a_warning(report, recorder):
    (recorder.folder.path / "balance.png").mkdir()
    report.start()
    assert recorder.sent == ["samples.png"]
    [told] = report._progress.told
    assert "balance.png" in told
    assert "was not written" in told


def test_the_end_measures_the_sealed_model_on_the_validation_part(
    report, recorder, prepared, tmp_path
):
    recorder.folder.append_metrics(EPOCH)
    table = report.end(tiny_bundle(tmp_path / "bundle"), 0)
    assert recorder.sent == ["curves.png", "metrics.csv", "classes.csv"]
    counts = prepared.manifest.counts["validation"]
    assert {row.code: row.images for row in table.classes} == counts
    assert table.mean.images == len(prepared.rows("validation"))
    assert 0 < table.mean.auroc < 1


def test_the_start_counts_the_images_and_hides_passwords(synthetic_config, prepared, recorder):
    config = copy.deepcopy(synthetic_config)
    config.tracking.uri = "https://me:secret@mlflow.example"
    config.run.root = "elsewhere"
    start = describe_start(config, prepared, torch.device("cpu"), 10, recorder.folder)
    counts = prepared.manifest.counts
    assert {one.code: one.train for one in start.classes} == counts["train"]
    assert {one.code: one.validation for one in start.classes} == counts["validation"]
    assert (start.synthetic, start.precision, start.epochs_done) == (True, "32-true", 0)
    assert start.folder.parent.name == "elsewhere"
    assert "secret" not in str(start.rows())
    assert start.weights == "ImageNet weights"
    config.tracking.uri, config.train.mode = "none", "probe"
    start = describe_start(config, prepared, torch.device("cpu"), 10, recorder.folder)
    assert "only the folder" in start.tracking
    assert "only the head learns" in start.weights


def test_samples_are_what_the_network_gets(synthetic_config, prepared):
    config = copy.deepcopy(synthetic_config)
    config.augment.erasing = 0.5
    seen = see_samples(config, prepared)
    assert {label: seen.labels.count(label) for label in seen.labels} == dict.fromkeys(
        ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"), 2
    )
    rows = prepared.rows("train")
    images = LabelledImages(
        prepared.images,
        rows,
        prepared.labels(config.task)[rows],
        DeviceCache(torch.device("cpu"), 0),
    )
    batches = TrainBatches(images, config.augment, 7, batch_size=8, seed=config.seed)
    found = 0
    for epoch in range(len(seen.augmented)):
        batches.epoch = epoch
        given = np.concatenate([pixels.permute(0, 2, 3, 1).numpy() for pixels, _ in batches])
        order = permutation(len(rows), config.seed, epoch, 0)[: len(given)]
        plain = prepared.images[rows[order]]
        for index, image in enumerate(seen.plain):
            for place in np.flatnonzero((plain == image).all(axis=(1, 2, 3))):
                np.testing.assert_allclose(
                    seen.augmented[epoch][index] / 255, given[place], atol=0.51 / 255
                )
                found += 1
    assert found > 7 * 7  # the last, smaller batch of an epoch is left out


def test_balance_counts_every_image_once_and_every_lesion_of_a_class(synthetic_config, prepared):
    codes, images, lesions = count_classes(prepared, "multiclass")
    for part, counts in images.items():
        assert dict(zip(codes, counts, strict=True)) == {
            code: prepared.manifest.counts[part].get(code, 0) for code in codes
        }
        samples = [sample for sample in prepared.samples if sample.part == part]
        assert sum(lesions[part]) == len({sample.lesion_id for sample in samples})

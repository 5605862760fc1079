"""What an epoch shows: each image once, on whatever rank, and the same again after a resume."""

import numpy as np
import pytest
import torch
from packs import labelled, only, write_pack

from skincli.config.training import AugmentConfig
from skincli.training.input.batches import PlainBatches, TrainBatches

EVERYTHING = AugmentConfig(erasing=0.3, mixup=0.3, cutmix=0.3)


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path)


def train_batches(pack, augmentation=None, batch_size=5, n=23, **options):
    images = labelled(pack, np.arange(40)[::-1][:n])
    return TrainBatches(images, augmentation or only(), n, batch_size, seed=0, **options)


def places(batches):
    """Which images an epoch shows, `[steps, B]`; labels are places."""
    return torch.stack([targets.argmax(1) for _, targets in batches])


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_an_epoch_shows_each_image_at_most_once_in_another_order_each_time(pack):
    batches = train_batches(pack)
    first = places(batches)
    batches.epoch = 1
    second = places(batches)
    assert len(batches) == 4
    for seen in (first, second):
        assert len(seen.unique()) == 20
    assert not torch.equal(first, second)
    batches.epoch = 0
    assert torch.equal(places(batches), first)


def test_a_batch_holds_the_pixels_of_its_labels(pack):
    rows = np.arange(40)[::-1][:23]
    for images, targets in train_batches(pack):
        expected = torch.from_numpy(pack[rows[targets.argmax(1)]]).permute(0, 3, 1, 2)
        assert torch.equal(images, expected / 255)
        assert torch.equal(targets.sum(1), torch.ones(5))


def test_an_image_looks_another_way_in_each_epoch(pack):
    batches = train_batches(pack, only(rotation=180, brightness=0.2))
    looks = []
    for epoch in range(2):
        batches.epoch = epoch
        looks.append({int(t.argmax()): i for b in batches for i, t in zip(*b, strict=True)})
    both = set(looks[0]) & set(looks[1])
    assert len(both) > 10
    assert not any(torch.allclose(looks[0][i], looks[1][i], atol=1e-3) for i in both)


def test_a_set_smaller_than_a_batch_is_one_batch(pack):
    assert places(train_batches(pack, batch_size=64)).shape == (1, 23)


@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_a_saved_state_goes_on_in_the_middle_of_its_epoch(pack, done):
    whole = train_batches(pack, EVERYTHING)
    whole.epoch = 7
    expected = list(whole)
    cut = train_batches(pack, EVERYTHING)
    cut.epoch = 7
    passing = iter(cut)
    for _ in range(done):
        next(passing)
    state = cut.state_dict()
    assert state == {"epoch": 7, "done": done}
    resumed = train_batches(pack, EVERYTHING)
    resumed.load_state_dict(state)
    resumed.epoch = 7
    assert len(resumed) == 4
    assert_same(list(resumed), expected[done:])
    assert_same(list(resumed), expected)


def test_another_epoch_begins_at_its_beginning(pack):
    batches = train_batches(pack)
    batches.load_state_dict({"epoch": 3, "done": 2})
    batches.epoch = 4
    assert batches.state_dict() == {"epoch": 4, "done": 0}
    assert len(list(batches)) == 4


def test_ranks_share_out_the_images_and_take_as_many_steps(pack):
    ranks = [train_batches(pack, batch_size=8, rank=rank, world=4) for rank in range(4)]
    assert [len(rank) for rank in ranks] == [2] * 4
    seen = torch.stack([places(rank) for rank in ranks])  # labels of a shard are whole places
    assert seen.shape == (4, 2, 2)
    assert len(seen.unique()) == 16
    assert torch.equal(seen % 4, torch.arange(4)[:, None, None].expand(4, 2, 2))
    assert not torch.equal(seen[0], seen[1] - 1)


def test_an_image_is_augmented_alike_on_whatever_rank(pack):
    augmentation = AugmentConfig(erasing=0.5)
    alone = {
        int(place): image
        for images, targets in train_batches(pack, augmentation)
        for place, image in zip(targets.argmax(1), images, strict=True)
    }
    compared = 0
    for rank in range(3):
        for images, targets in train_batches(pack, augmentation, 6, rank=rank, world=3):
            for place, image in zip(targets.argmax(1).tolist(), images, strict=True):
                if place in alone:
                    compared += 1
                    torch.testing.assert_close(image, alone[place])
    assert compared > 10


def test_validation_shows_every_image_once_with_its_label(pack):
    rows = np.arange(40)[::-1][:23]
    batches = PlainBatches(labelled(pack, rows), 5)
    found = list(batches)
    assert len(found) == len(batches) == 5
    assert torch.cat([labels for _, labels in found]).tolist() == list(range(23))
    expected = torch.from_numpy(pack[rows]).permute(0, 3, 1, 2) / 255
    assert torch.equal(torch.cat([images for images, _ in found]), expected)


def test_validation_on_several_ranks_shows_every_image_exactly_once(pack):
    ranks = [PlainBatches(labelled(pack), 6, rank, 3) for rank in range(3)]
    seen = [label for rank in ranks for _, labels in rank for label in labels.tolist()]
    assert sorted(seen) == list(range(40))


@pytest.mark.parametrize("channels_last", [True, False])
def test_both_kinds_of_batches_come_in_the_layout_that_was_asked_for(pack, channels_last):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    train = train_batches(pack, EVERYTHING, channels_last=channels_last)
    for batches in (train, PlainBatches(labelled(pack), 5, channels_last=channels_last)):
        assert next(iter(batches))[0].is_contiguous(memory_format=layout)

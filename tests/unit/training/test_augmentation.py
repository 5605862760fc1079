"""Augmentation is a function of (seed, epoch, row), image by image, and does what it says."""

import numpy as np
import torch

from skincli.config.training import AugmentConfig
from skincli.training.input.augmentation import augment, draw
from skincli.training.input.batches import DeviceImages, PlainBatches, TrainBatches

NONE = AugmentConfig(
    horizontal_flip=0,
    vertical_flip=0,
    rotation=0,
    scale=0,
    brightness=0,
    contrast=0,
    saturation=0,
    hue=0,
)


def pictures(n=6, size=16):
    return torch.from_numpy(np.random.default_rng(0).random((n, 3, size, size), dtype=np.float32))


def only(**options):
    return draw(AugmentConfig(**{f: getattr(NONE, f) for f in NONE.__slots__} | options), 6, 0, 0)


def test_nothing_configured_changes_nothing():
    torch.testing.assert_close(augment(pictures(), draw(NONE, 6, 0, 0)), pictures())


def test_flips_and_half_turns_are_exact():
    images = pictures()
    torch.testing.assert_close(augment(images, only(horizontal_flip=1.0)), images.flip(3))
    torch.testing.assert_close(augment(images, only(vertical_flip=1.0)), images.flip(2))


def test_colour_is_changed_as_defined():
    grey = torch.full((6, 3, 4, 4), 0.5)
    brighter = augment(grey, only(brightness=0.5))
    assert brighter.std() > 0
    assert torch.allclose(brighter, brighter[:, :1, :1, :1].expand_as(brighter))
    # Hue and saturation leave grey as it is, and hue keeps the luma of a colour.
    torch.testing.assert_close(augment(grey, only(hue=0.5, saturation=0.9)), grey)
    colour = torch.tensor([0.5, 0.4, 0.45]).view(1, 3, 1, 1).expand(6, 3, 4, 4)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    turned = augment(colour, only(hue=0.1))
    assert (turned - colour).abs().max() > 0.01
    torch.testing.assert_close((turned * luma).sum(1), (colour * luma).sum(1), atol=2e-3, rtol=0)


def test_draws_depend_on_seed_epoch_and_row_alone():
    config = AugmentConfig()
    base = draw(config, 50, seed=1, epoch=2)
    assert torch.equal(base.geometry, draw(config, 50, 1, 2).geometry)
    assert not torch.equal(base.geometry, draw(config, 50, 1, 3).geometry)
    assert not torch.equal(base.geometry, draw(config, 50, 2, 2).geometry)
    assert len(base.geometry.unique(dim=0)) == 50
    whole = augment(pictures(6), base.of(torch.arange(6)))
    one = augment(pictures(6)[3:4], base.of(torch.tensor([3])))
    torch.testing.assert_close(whole[3:4], one)


def source(n=23):
    images = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    rows = np.arange(40)[::-1][:n].copy()
    return DeviceImages(images[rows], np.arange(40)[rows], torch.device("cpu"))


def test_an_epoch_shows_each_image_at_most_once_in_another_order_each_time():
    batches = TrainBatches(source(), NONE, batch_size=5, seed=0)
    seen = [torch.cat([labels for _, labels in batches])]
    batches.epoch = 1
    seen.append(torch.cat([labels for _, labels in batches]))
    assert len(batches) == 4
    for labels in seen:
        assert len(labels.unique()) == 20
    assert not torch.equal(*seen)
    batches.epoch = 0
    assert torch.equal(torch.cat([labels for _, labels in batches]), seen[0])


def test_validation_shows_every_image_once_with_its_label():
    batches = PlainBatches(source(), 5)
    found = list(batches)
    assert len(found) == len(batches) == 5
    labels = torch.cat([labels for _, labels in found])
    assert labels.tolist() == list(range(39, 16, -1))
    images = torch.cat([images for images, _ in found])
    expected = source().images.permute(0, 3, 1, 2).float() / 255
    torch.testing.assert_close(images, expected)

"""Augmentation is a function of (seed, epoch, image), image by image, and does what it says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from packs import only

from skincli.config.training import AugmentConfig
from skincli.training.input.augmentation import as_floats, augment, draw
from skincli.training.input.boxes import draw_erasing, erase
from skincli.training.input.colour import draw_colour, recolour
from skincli.training.input.dice import Dice, Purpose
from skincli.training.input.geometry import draw_affine, draw_flips, flip, resample
from skincli.training.input.mixing import draw_mixing, soft_targets


def pixels(n=6, size=16):
    shape = (n, size, size, 3)
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def dice(n=6, seed=0, epoch=0):
    return Dice(seed, epoch, np.arange(n))


def augmented(images, config, dice, layout=torch.contiguous_format):
    return augment(images, draw(config, len(images), images.shape[1], dice), layout)


def test_nothing_configured_does_nothing_and_draws_nothing():
    drawn = draw(only(), 6, 16, dice())
    assert drawn.changes == []
    assert drawn.mixing is None
    plain = augment(pixels(), drawn, torch.channels_last)
    assert torch.equal(plain, as_floats(pixels()))
    assert torch.equal(plain * 255, pixels().permute(0, 3, 1, 2).float())


def test_flips_are_exact_alone_and_the_same_within_a_resampling():
    images = as_floats(pixels())
    for options, axis in (({"horizontal_flip": 1.0}, 3), ({"vertical_flip": 1.0}, 2)):
        assert torch.equal(augmented(pixels(), only(**options), dice()), images.flip(axis))
    config = only(horizontal_flip=0.5, vertical_flip=0.5)
    flipped = flip(images, draw_flips(config, dice()))
    assert len({tuple(row) for row in draw_flips(config, dice(50)).tolist()}) == 4
    torch.testing.assert_close(resample(images, draw_affine(config, dice())), flipped)


def test_resampling_is_that_of_torch_with_the_whole_default_augmentation():
    images, affine = as_floats(pixels()), draw_affine(AugmentConfig(), dice())
    grid = torch.nn.functional.affine_grid(affine, list(images.shape), align_corners=False)
    expected = torch.nn.functional.grid_sample(
        images, grid, padding_mode="reflection", align_corners=False
    )
    torch.testing.assert_close(resample(images, affine), expected, atol=1e-4, rtol=0)
    quarter = torch.tensor([[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]]).expand(6, 2, 3)
    torch.testing.assert_close(
        resample(images, quarter), images.rot90(-1, (2, 3)), atol=1e-4, rtol=0
    )


def test_size_aspect_and_shift_stay_within_what_is_configured_and_reach_it():
    config = only(rotation=180, scale=0.3, aspect=0.2, shift=0.1)
    affine = draw_affine(config, dice(4000)).double().numpy()
    zoom = 1 / np.sqrt(np.linalg.det(affine[:, :, :2]))
    assert zoom.min() == pytest.approx(0.7, abs=0.01)
    assert zoom.max() == pytest.approx(1.3, abs=0.01)
    wide, high = np.linalg.norm(affine[:, 0, :2], axis=1), np.linalg.norm(affine[:, 1, :2], axis=1)
    assert (high / wide).min() == pytest.approx(0.8, abs=0.01)
    assert (high / wide).max() == pytest.approx(1.2, abs=0.01)
    assert np.abs(affine[:, :, 2]).max(axis=0) == pytest.approx([0.2, 0.2], abs=0.001)


def test_colour_is_changed_as_defined():
    grey = torch.full((6, 3, 4, 4), 0.5)

    def coloured(images, **options):
        return recolour(images, draw_colour(only(**options), dice()))

    brighter = coloured(grey, brightness=0.5)
    assert brighter.std() > 0
    assert torch.allclose(brighter, brighter[:, :1, :1, :1].expand_as(brighter))
    # Hue and saturation leave grey as it is, and hue keeps the luma of a colour.
    torch.testing.assert_close(coloured(grey, hue=0.5, saturation=0.9), grey)
    colour = torch.tensor([0.5, 0.4, 0.45]).view(1, 3, 1, 1).expand(6, 3, 4, 4)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    turned = coloured(colour, hue=0.1)
    assert (turned - colour).abs().max() > 0.01
    torch.testing.assert_close((turned * luma).sum(1), (colour * luma).sum(1), atol=2e-3, rtol=0)
    assert coloured(as_floats(pixels()), brightness=0.9).max() <= 1


def test_erasing_blots_out_a_box_with_the_mean_colour_in_the_configured_share():
    boxes = draw_erasing(only(erasing=0.25), 32, dice(4000))
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 32**2
    assert (area > 0).float().mean() == pytest.approx(0.25, abs=0.02)
    assert 0.015 < area[area > 0].min() < area.max() < 0.45
    assert boxes.min() >= 0
    assert boxes.max() <= 32
    images = as_floats(pixels())
    erased = erase(images, torch.tensor([[2.0, 3.0, 7.0, 5.0]] + [[0.0] * 4] * 5))
    mean = images[0].mean(dim=(1, 2), keepdim=True)
    assert torch.equal(erased[0, :, 3:5, 2:7], mean.expand(3, 2, 5))
    erased[0, :, 3:5, 2:7] = images[0, :, 3:5, 2:7]
    assert torch.equal(erased, images)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.7, 0), (0, 0.7), (0.4, 0.4)])
def test_targets_are_mixed_as_the_images_are(mixup, cutmix):
    # Red, green and blue images of classes 0, 1 and 2: the mean colour is the target.
    labels = torch.arange(64) % 3
    images = (torch.eye(3)[labels] * 255).to(torch.uint8)[:, None, None].expand(-1, 16, 16, -1)
    drawn = draw(only(mixup=mixup, cutmix=cutmix), 64, 16, dice(64))
    targets = soft_targets(labels, 3, 64, drawn.mixing)
    mixed = augment(images, drawn, torch.channels_last)
    torch.testing.assert_close(mixed.mean(dim=(2, 3)), targets)
    assert torch.allclose(targets.sum(1), torch.ones(64))
    assert 20 < (drawn.mixing.kept < 1).sum() < 60
    assert len(drawn.mixing.kept.unique()) > 20


def test_partners_are_others_of_the_same_batch():
    mixing = draw_mixing(only(mixup=1.0), 4, 16, dice(4000))
    assert 0 <= mixing.partner.min() <= mixing.partner.max() < 4
    assert not (mixing.partner == torch.arange(4000) % 4).any()
    assert mixing.partner.unique(return_counts=True)[1].min() > 800


def test_draws_depend_on_seed_epoch_and_image_alone():
    images, config = pixels(50), AugmentConfig(erasing=0.5)

    def shown(seed, epoch, chosen=range(50)):
        chosen = np.array(chosen)
        return augmented(images[chosen], config, Dice(seed, epoch, chosen))

    base = shown(seed=1, epoch=2)
    assert torch.equal(base, shown(seed=1, epoch=2))
    assert not torch.allclose(base, shown(seed=1, epoch=3))
    assert not torch.allclose(base, shown(seed=2, epoch=2))
    torch.testing.assert_close(shown(1, 2, [41, 3]), base[[41, 3]])


def test_what_is_drawn_for_one_purpose_tells_nothing_of_another():
    streams = [dice(2000).uniform(purpose, 1)[:, 0] for purpose in Purpose]
    assert np.abs(np.corrcoef(streams) - np.eye(len(streams))).max() < 0.1


def test_what_is_switched_off_leaves_the_rest_as_drawn():
    config = AugmentConfig(erasing=0.5, mixup=0.3, cutmix=0.3)
    everything = draw(config, 50, 16, dice(50))
    for name, others in (("rotation", 2), ("erasing", 2), ("hue", 2)):
        some = draw(replace(config, **{name: 0}), 50, 16, dice(50))
        same = [
            torch.equal(one, other)
            for (_, one), (_, other) in zip(some.changes, everything.changes, strict=False)
        ]
        assert sum(same) >= others
        assert torch.equal(some.mixing.kept, everything.mixing.kept)


def test_each_image_has_draws_of_its_own():
    changes = draw(AugmentConfig(erasing=1.0), 50, 224, dice(50)).changes
    assert [len(drawn.unique(dim=0)) for _, drawn in changes] == [50, 50, 50]


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_batches_come_in_the_layout_that_was_asked_for(layout, mixup):
    images = augmented(pixels(48, 64), AugmentConfig(mixup=mixup), dice(48), layout)
    assert images.is_contiguous(memory_format=layout)
    assert images.dtype == torch.float32

"""Augmentation moves pixels of whole minibatches, and masks with them; crops of full size keep their values."""

import hashlib

import numpy as np
import pytest
import torch

from pt4al.images.augment import Augmentation

# Of the images and the generator's state, by padding and flip, from before crops were resized.
DIGESTS = [
    (0, True, "262bc71cb3a76f7f"),
    (2, False, "e606e5d6b720a484"),
    (2, True, "cc2a10a9ea7d115a"),
    (4, True, "811551075468427c"),
]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def minibatch(count: int, channels: int = 3, height: int = 6, width: int = 7) -> torch.Tensor:
    # Never 0, so that padding can be told from pixels.
    return torch.randint(1, 256, (count, channels, height, width), generator=generator(1), dtype=torch.uint8)


def windows(image: torch.Tensor, padding: int) -> list[torch.Tensor]:
    """Every crop of an image's size out of its padded self: the reference, one pixel after the other."""
    channels, height, width = image.shape
    padded = torch.zeros(channels, height + 2 * padding, width + 2 * padding, dtype=image.dtype)
    for row in range(height):
        for column in range(width):
            padded[:, row + padding, column + padding] = image[:, row, column]
    shifts = range(2 * padding + 1)
    return [padded[:, down : down + height, right : right + width] for down in shifts for right in shifts]


def test_no_padding_and_no_flip_is_the_identity():
    images = minibatch(5)
    assert torch.equal(Augmentation(crop_padding=0, flip=False, smallest_crop=1)(images, generator())[0], images)


def test_flip_reverses_about_half_of_the_images_left_to_right():
    images = minibatch(400)
    (found,) = Augmentation(crop_padding=0, flip=True, smallest_crop=1)(images, generator())
    flipped = [torch.equal(after, before.flip(2)) for after, before in zip(found, images, strict=True)]
    kept = [torch.equal(after, before) for after, before in zip(found, images, strict=True)]
    assert all(one or other for one, other in zip(flipped, kept, strict=True))
    assert 160 < sum(flipped) < 240


def test_crop_is_a_window_of_the_padded_image_and_every_window_occurs():
    image = minibatch(1)
    (found,) = Augmentation(crop_padding=2, flip=False, smallest_crop=1)(image.expand(500, -1, -1, -1), generator())
    known = {window.numpy().tobytes() for window in windows(image[0], 2)}
    assert len(known) == 25
    assert {crop.numpy().tobytes() for crop in found} == known


def test_crop_and_flip_together_make_flipped_windows():
    images = minibatch(60)
    for after, before in zip(
        Augmentation(crop_padding=1, flip=True, smallest_crop=1)(images, generator())[0], images, strict=True
    ):
        possible = windows(before, 1)
        assert any(torch.equal(after, window) or torch.equal(after, window.flip(2)) for window in possible)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stay_uint8_of_their_shape(channels):
    images = minibatch(4, channels)
    (found,) = Augmentation(crop_padding=2, flip=True, smallest_crop=1)(images, generator())
    assert found.dtype == torch.uint8
    assert found.shape == images.shape


def test_each_image_of_a_minibatch_is_moved_on_its_own():
    (found,) = Augmentation(crop_padding=3, flip=False, smallest_crop=1)(
        minibatch(1).expand(50, -1, -1, -1), generator()
    )
    assert len({crop.numpy().tobytes() for crop in found}) > 20


def test_same_generator_gives_the_same_images_and_the_given_ones_stay():
    images = minibatch(50)
    before, augment = images.clone(), Augmentation(crop_padding=2, flip=True, smallest_crop=1)
    assert torch.equal(augment(images, generator(7))[0], augment(images, generator(7))[0])
    assert not torch.equal(augment(images, generator(7))[0], augment(images, generator(8))[0])
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(("padding", "flip", "digest"), DIGESTS)
def test_numbers_drawn_are_those_of_published_runs(padding, flip, digest):
    images, draws = np.random.default_rng(0).integers(0, 256, (50, 3, 20, 30), np.uint8), generator(3)
    (found,) = Augmentation(crop_padding=padding, flip=flip, smallest_crop=1)(torch.from_numpy(images), draws)
    state = draws.get_state().numpy().tobytes()
    assert hashlib.sha256(found.contiguous().numpy().tobytes() + state).hexdigest()[:16] == digest


def ramps(count: int, height: int = 40, width: int = 60) -> torch.Tensor:
    """Images that show the place of each pixel: 4 levels a row in channel 0, 4 a column in channel 1."""
    rows, columns = torch.meshgrid(torch.arange(height) * 4, torch.arange(width) * 4, indexing="ij")
    return torch.stack([rows, columns]).to(torch.uint8).expand(count, -1, -1, -1)


@pytest.mark.parametrize("smallest", [0.08, 0.5, 0.9])
def test_resized_crops_have_the_shares_and_shapes_that_were_asked_for(smallest):
    (found,) = Augmentation(crop_padding=0, flip=False, smallest_crop=smallest)(ramps(400), generator())
    # From the first to the last row a crop of height h shows h * (40 - 1) / 40 of the image's rows.
    high = (found[:, 0, -1, 30].int() - found[:, 0, 0, 30]) / (4 * 39)
    wide = (found[:, 1, 20, -1].int() - found[:, 1, 20, 0]) / (4 * 59)
    share, shape = high * wide, wide / high
    assert smallest - 0.03 < share.min() < smallest + 0.15 * (1 - smallest)
    assert share.max() > smallest + 0.85 * (1 - smallest)
    assert 0.72 < shape.min() < 1 < shape.max() < 1.4
    assert high.max() <= 1.01 >= wide.max()


def test_resized_crops_lie_anywhere_in_the_image():
    (found,) = Augmentation(crop_padding=0, flip=False, smallest_crop=0.1)(ramps(400), generator())
    for channel, last in ((0, 39), (1, 59)):
        middles = found[:, channel].float().mean((1, 2)) / (4 * last)
        assert middles.min() < 0.25
        assert middles.max() > 0.75


def test_resized_crops_invent_no_levels_and_keep_plain_images():
    images = torch.tensor([0, 7, 128, 255], dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 9, 13)
    (found,) = Augmentation(crop_padding=0, flip=False, smallest_crop=0.2)(images, generator())
    assert torch.equal(found, images)


@pytest.mark.parametrize("smallest", [1, 0.3])
@pytest.mark.parametrize("flip", [False, True])
def test_masks_move_with_their_images(smallest, flip):
    images = ramps(50)
    masks = images[:, 0] // 4 * 5  # numbers of rows, times five: 0 to 195
    augment = Augmentation(crop_padding=3, flip=flip, smallest_crop=smallest)
    found, moved = augment(images, generator(), masks.contiguous())
    inside = moved != 255
    assert moved.dtype == torch.uint8
    assert set(moved.unique().tolist()) <= {*masks.unique().tolist(), 255}
    # The nearest row is at most half a row from where the image was read.
    assert ((found[:, 0].float() / 4 - moved.float() / 5)[inside].abs() <= 0.75).all()
    assert not found[~inside[:, None].expand_as(found)].any()


def test_what_comes_from_outside_is_ignored():
    _, moved = Augmentation(crop_padding=2, flip=False, smallest_crop=1)(
        minibatch(50), generator(), torch.zeros(50, 6, 7, dtype=torch.uint8)
    )
    assert set(moved.unique().tolist()) == {0, 255}


def test_targets_that_are_no_masks_stay():
    classes = torch.arange(5)
    _, found = Augmentation(crop_padding=2, flip=True, smallest_crop=0.5)(minibatch(5), generator(), classes)
    assert found is classes


def test_images_are_augmented_alike_with_and_without_masks():
    augment, images = Augmentation(crop_padding=2, flip=True, smallest_crop=0.5), minibatch(9)
    (alone,), (found, _) = augment(images, generator()), augment(images, generator(), images[:, 0])
    assert torch.equal(alone, found)

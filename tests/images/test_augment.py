"""Augmentation moves pixels of whole minibatches and never changes their values."""

import numpy as np
import pytest
import torch

from pt4al.images.augment import Augmentation


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
    assert torch.equal(Augmentation(crop_padding=0, flip=False)(images, generator()), images)


def test_flip_reverses_about_half_of_the_images_left_to_right():
    images = minibatch(400)
    found = Augmentation(crop_padding=0, flip=True)(images, generator())
    flipped = [torch.equal(after, before.flip(2)) for after, before in zip(found, images, strict=True)]
    kept = [torch.equal(after, before) for after, before in zip(found, images, strict=True)]
    assert all(one or other for one, other in zip(flipped, kept, strict=True))
    assert 160 < sum(flipped) < 240


def test_crop_is_a_window_of_the_padded_image_and_every_window_occurs():
    image = minibatch(1)
    found = Augmentation(crop_padding=2, flip=False)(image.expand(500, -1, -1, -1), generator())
    known = {window.numpy().tobytes() for window in windows(image[0], 2)}
    assert len(known) == 25
    assert {crop.numpy().tobytes() for crop in found} == known


def test_crop_and_flip_together_make_flipped_windows():
    images = minibatch(60)
    for after, before in zip(Augmentation(crop_padding=1, flip=True)(images, generator()), images, strict=True):
        possible = windows(before, 1)
        assert any(torch.equal(after, window) or torch.equal(after, window.flip(2)) for window in possible)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stay_uint8_of_their_shape(channels):
    images = minibatch(4, channels)
    found = Augmentation(crop_padding=2, flip=True)(images, generator())
    assert found.dtype == torch.uint8
    assert found.shape == images.shape


def test_each_image_of_a_minibatch_is_moved_on_its_own():
    found = Augmentation(crop_padding=3, flip=False)(minibatch(1).expand(50, -1, -1, -1), generator())
    assert len({crop.numpy().tobytes() for crop in found}) > 20


def test_same_generator_gives_the_same_images_and_the_given_ones_stay():
    images = minibatch(50)
    before, augment = images.clone(), Augmentation(crop_padding=2, flip=True)
    assert torch.equal(augment(images, generator(7)), augment(images, generator(7)))
    assert not torch.equal(augment(images, generator(7)), augment(images, generator(8)))
    np.testing.assert_array_equal(images, before)

"""Noise is each image's own, and as strong as stated."""

import numpy as np

from pt4al.images.noise import noisy

GREY = np.full((40, 1, 16, 16), 128, np.uint8)
IDS = [f"image {row}" for row in range(40)]


def test_noise_has_the_stated_strength_and_no_offset():
    added = noisy(GREY, IDS, 4).astype(float) - 128
    assert abs(added.mean()) < 0.1
    assert abs(added.std() - 4) < 0.1  # rounding to whole levels adds 0.01


def test_an_images_noise_does_not_depend_on_the_others():
    np.testing.assert_array_equal(noisy(GREY, IDS, 4)[7:9], noisy(GREY[:2], IDS[7:9], 4))


def test_two_purposes_give_independent_noise():
    one, other = noisy(GREY, IDS, 4).astype(float), noisy(GREY, IDS, 4, "shortcut").astype(float)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


def test_noise_stops_at_black_and_white():
    assert noisy(np.zeros_like(GREY), IDS, 4).max() < 30
    assert noisy(np.full_like(GREY, 255), IDS, 4).min() > 225

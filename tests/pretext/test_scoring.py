"""Pretext losses of images in memory."""

import numpy as np
import pytest
import torch

import pt4al
from pt4al.errors import InputError
from pt4al.pretext.scoring import pretext_losses

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), np.uint8)


def test_each_image_has_a_loss_and_the_same_seed_gives_the_same():
    losses = pretext_losses(IMAGES, epochs=0.1)
    assert losses.shape == (40,)
    assert losses.dtype == np.float32
    assert np.isfinite(losses).all()
    assert (losses == pretext_losses(IMAGES, epochs=0.1)).all()
    assert (losses != pretext_losses(IMAGES, epochs=0.1, seed=1)).any()


def test_grey_images_and_tensors_are_taken_as_they_are():
    grey = IMAGES[:, 0]
    expected = pretext_losses(grey[:, None], "embedding")
    assert (pretext_losses(grey, "embedding") == expected).all()
    assert (pretext_losses(torch.from_numpy(grey), "embedding") == expected).all()


@pytest.mark.parametrize(
    "images, task, message",
    [
        (IMAGES / 255, "rotation", r"`images` are float64 of shape \(40, 3, 8, 8\): they must be uint8"),
        (IMAGES.transpose(0, 2, 3, 1), "rotation", r"\(40, 8, 8, 3\)"),
        (IMAGES[:3], "rotation", "`images` are 3: at least 4"),
        (IMAGES, "rotatoin", "`task` 'rotatoin' is unknown: did you mean 'rotation'"),
        (IMAGES[:, 0], "colorization", "colorization needs colour"),
    ],
)
def test_a_mistake_is_one_sentence(images, task, message):
    with pytest.raises(InputError, match=message):
        pretext_losses(images, task, epochs=0.1)


def test_the_package_offers_it_by_name():
    assert pt4al.pretext_losses is pretext_losses
    with pytest.raises(AttributeError, match="pt4al has no 'losses'; it has choose, open_run, pretext_losses"):
        pt4al.losses  # noqa: B018

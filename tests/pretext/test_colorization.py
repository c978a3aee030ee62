"""Colorization: the network sees brightness alone, and is judged by the colours it names."""

import numpy as np
import pytest
import torch

from pt4al.errors import InputError
from pt4al.pretext.colorization import UNIT, Colorization


def photos(count: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 3, 6, 7), np.uint8))


def luma(images: torch.Tensor) -> torch.Tensor:
    return (images.double() * torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)[:, None, None]).sum(1)


def grey(images: torch.Tensor) -> torch.Tensor:
    """A network that takes everything for grey."""
    return torch.zeros(len(images), 2, *images.shape[2:])


def test_network_sees_the_brightness_and_no_colour():
    seen = []

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return grey(images)

    Colorization().loss(network, photos())
    for channel in range(3):
        torch.testing.assert_close(seen[0][:, channel].double(), luma(photos()), rtol=1e-5, atol=1e-3)


def test_grey_images_have_no_colour_to_tell():
    images = photos()[:, :1].expand(-1, 3, -1, -1)
    assert Colorization().loss(grey, images).tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_network_that_knows_the_colours_has_no_loss():
    images = photos()
    blue, red = (images[:, channel].double() - luma(images) for channel in (2, 0))
    knowing = lambda shown: (torch.stack([blue, red], 1) / UNIT).float()  # noqa: E731
    assert Colorization().loss(knowing, images).tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_loss_is_the_mean_over_pixels_and_planes():
    images = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    images[0, 0, 0, 0] = 100  # one red pixel of four: blue less luma is -29.9, red less luma 70.1
    expected = ((29.9 / UNIT) ** 2 / 2 + (70.1 / UNIT - 0.5)) / 8
    assert Colorization().loss(grey, images).tolist() == pytest.approx([expected])


def test_images_without_colour_are_refused():
    with pytest.raises(InputError, match="colorization needs colour; these images have 1 channel"):
        Colorization().loss(grey, photos()[:, :1])

"""Rotation: the mean of four cross-entropies, for 0, 90, 180 and 270 degrees."""

import math

import numpy as np
import pytest
import torch

from pt4al.pretext.rotation import Rotation


def recorder(seen: list[torch.Tensor]):
    """A network that notes what it is shown and prefers the second of its outputs."""

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return torch.tensor([0.0, math.log(2), 0.0, 0.0]).expand(len(images), 4)

    return network


def test_network_sees_each_image_in_all_four_quarter_turns():
    images, seen = torch.arange(32).reshape(2, 1, 4, 4), []
    Rotation().loss(recorder(seen), images)
    shown = {tuple(image.flatten().tolist()) for image in torch.cat(seen)}
    turned = {tuple(np.rot90(image[0], turns).flatten().tolist()) for image in images.numpy() for turns in range(4)}
    assert shown == turned


def test_loss_is_the_mean_of_the_four_cross_entropies():
    losses = Rotation().loss(recorder([]), torch.zeros(3, 1, 4, 4))
    # Softmax of (0, log 2, 0, 0) is (1, 2, 1, 1) / 5.
    assert losses.tolist() == pytest.approx([(3 * math.log(5) + math.log(5 / 2)) / 4] * 3)


def test_network_that_knows_the_rotation_has_no_loss():
    def knowing(images: torch.Tensor) -> torch.Tensor:
        # A mark in the upper left corner wanders as np.rot90 turns the image.
        corners = torch.stack([images[:, 0, row, column] for row, column in ((0, 0), (-1, 0), (-1, -1), (0, -1))], 1)
        return 100.0 * corners

    marked = torch.zeros(2, 1, 4, 4)
    marked[:, 0, 0, 0] = 1
    assert Rotation().loss(knowing, marked).tolist() == pytest.approx([0, 0])
    assert Rotation().loss(knowing, marked.rot90(1, (2, 3))).min() > 50


@pytest.mark.parametrize("size", [(8, 12), (13, 8)])
def test_images_that_are_not_square_are_judged_by_their_central_square(size):
    rng, seen = np.random.default_rng(0), [[], []]
    images = torch.from_numpy(rng.integers(0, 256, (2, 3, *size), np.uint8))
    top, left = ((length - 8) // 2 for length in size)
    Rotation().loss(recorder(seen[0]), images)
    Rotation().loss(recorder(seen[1]), images[:, :, top : top + 8, left : left + 8])
    assert torch.equal(torch.cat(seen[0]), torch.cat(seen[1]))

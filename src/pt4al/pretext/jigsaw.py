"""Pretext task `jigsaw`: tell in which order the four quarters of an image were put together.

Source: Noroozi, Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw
Puzzles", ECCV 2016. They cut photos into 3 x 3 tiles, look at each with a network of its own
(shared weights), and choose 100 to 1,000 of the 362,880 orders. Nine tiles of a small image show
nothing (10 pixels each of 32), so this cuts 2 x 2, uses all 24 orders, and shows the network the
puzzle as one image, as Carlucci et al. (CVPR 2019) do, so that any network can be used. Tiles are
not normalised one by one.
"""

from itertools import permutations

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.pretext.task import PretextTask

ORDERS = list(permutations(range(4)))
# The four rotations of the order: together they show each tile in each place.
SCORED = [ORDERS.index((*range(first, 4), *range(first))) for first in range(4)]
TRIMMED = 16  # a tile loses a pixel in so many at each of its sides: the paper's gaps are 11 of 75


class Jigsaw(PretextTask):
    """Tell the order of an image's four shuffled quarters."""

    outputs = len(ORDERS)
    viewed = len(SCORED)

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of four orders, (B,): random ones in training, else fixed ones."""
        count = len(images)
        device = images.device
        if network.training:
            # Orders of each image's own: shared by a minibatch they would make gradients noisy.
            orders = torch.rand(len(ORDERS), count, device=device).argsort(0)[: len(SCORED)]
        else:
            orders = torch.tensor(SCORED).to(device, non_blocking=True)[:, None].expand(-1, count)
        # (4, B, 4): which tile is where.
        places = torch.tensor(ORDERS).to(device, non_blocking=True)[orders]
        shown = torch.stack(tiles(images), 1)[torch.arange(count, device=device)[:, None], places]
        answers = network(_together(shown.flatten(0, 1)))
        losses = cross_entropy(answers, orders.flatten(), reduction="none")
        return losses.view(len(SCORED), -1).mean(0)

    def views(self, images: torch.Tensor) -> torch.Tensor:
        """The tiles in the four rotations of their order; see PretextTask."""
        cut = torch.stack(tiles(images), 1)
        return torch.stack([_together(cut[:, list(ORDERS[number])]) for number in SCORED], 1)


def tiles(images: torch.Tensor) -> list[torch.Tensor]:
    """Return the four quarters of images (B, C, H, W), upper ones first, all of one size.

    Lines that continue from tile to tile would give the order away, so that the pixels at a tile's
    sides are replaced by copies of those next to them. The size stays: some networks take one size
    only.
    """
    height = images.shape[2] // 2
    width = images.shape[3] // 2
    rows = _trimmed(height).to(images.device, non_blocking=True)
    columns = _trimmed(width).to(images.device, non_blocking=True)
    return [
        images[:, :, top + rows][:, :, :, left + columns]
        for top in (0, height)
        for left in (0, width)
    ]


def _trimmed(side: int) -> torch.Tensor:
    trim = max(1, side // TRIMMED)
    return torch.arange(side).clamp(trim, side - 1 - trim)


def _together(shown: torch.Tensor) -> torch.Tensor:
    """Return images (B, C, H, W) of their tiles (B, 4, C, height, width)."""
    upper = torch.cat([shown[:, 0], shown[:, 1]], 3)
    lower = torch.cat([shown[:, 2], shown[:, 3]], 3)
    return torch.cat([upper, lower], 2)

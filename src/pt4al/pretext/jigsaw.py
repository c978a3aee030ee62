"""Pretext task `jigsaw`: tell in which order the four quarters of an image were put together.

Source: Noroozi, Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw
Puzzles", ECCV 2016. They cut photos into 3 x 3 tiles, look at each with a network of its own
(shared weights), and choose 100 to 1,000 of the 362,880 orders. Small images have no 9 tiles that
show anything (of 32 pixels, 10 each), so this cuts 2 x 2, uses all 24 orders, and shows the network
the puzzle as one image, as Carlucci et al. (CVPR 2019) do, so that any network can be used. Tiles
are not normalised one by one.
"""

from itertools import permutations

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.pretext.task import PretextTask

ORDERS = list(permutations(range(4)))
# The four turns of a circle through the tiles: between them they show each tile in each place.
SCORED = [ORDERS.index((*range(first, 4), *range(first))) for first in range(4)]
TRIMMED = 16  # a tile loses a pixel in so many at each of its sides: the paper's gaps are 11 of 75


class Jigsaw(PretextTask):
    outputs = len(ORDERS)
    viewed = len(SCORED)

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of four orders, (B,): in training any four of each image, else always the same."""
        count = len(images)
        device = images.device
        if network.training:
            # Each image its own: shared by a minibatch they would pull the network to and fro.
            wanted = torch.rand(len(ORDERS), count, device=device).argsort(0)[: len(SCORED)]
        else:
            wanted = torch.tensor(SCORED).to(device, non_blocking=True)[:, None].expand(-1, count)
        places = torch.tensor(ORDERS).to(device, non_blocking=True)[
            wanted
        ]  # (4, B, 4): which tile is where
        shown = torch.stack(tiles(images), 1)[torch.arange(count, device=device)[:, None], places]
        found = network(_together(shown.flatten(0, 1)))
        return (
            cross_entropy(found, wanted.flatten(), reduction="none").view(len(SCORED), -1).mean(0)
        )

    def views(self, images: torch.Tensor) -> torch.Tensor:
        """The four turns of a circle through the tiles; see PretextTask."""
        cut = torch.stack(tiles(images), 1)
        return torch.stack([_together(cut[:, list(ORDERS[number])]) for number in SCORED], 1)


def tiles(images: torch.Tensor) -> list[torch.Tensor]:
    """Return the four quarters of images (B, C, H, W), upper ones first; the odd row or column is left out.

    Lines that run on from tile to tile would give the order away, so that the pixels at a tile's
    sides are replaced by copies of the next ones within. The size stays: some networks take one
    size only.
    """
    height, width = images.shape[2] // 2, images.shape[3] // 2
    rows, columns = (
        _trimmed(side).to(images.device, non_blocking=True) for side in (height, width)
    )
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
    return torch.cat([torch.cat([shown[:, tile], shown[:, tile + 1]], 3) for tile in (0, 2)], 2)

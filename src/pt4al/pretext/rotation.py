"""Pretext task `rotation`: tell by how many quarter turns an image was rotated.

Source: Gidaris, Singh, Komodakis, "Unsupervised Representation Learning by Predicting Image
Rotations", ICLR 2018; as used by PT4AL (ECCV 2022).
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.pretext.task import PretextTask


class Rotation(PretextTask):
    """Tell by how many quarter turns an image was rotated."""

    outputs = 4
    viewed = 4

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the central square at 0, 90, 180 and 270 degrees, (B,)."""
        images = _square(images)
        turned = torch.cat([images.rot90(turns, (2, 3)) for turns in range(self.outputs)])
        turns = torch.arange(self.outputs, device=images.device).repeat_interleave(len(images))
        losses = cross_entropy(network(turned), turns, reduction="none")
        return losses.view(self.outputs, -1).mean(0)

    def views(self, images: torch.Tensor) -> torch.Tensor:
        """The central square in its four turns; see PretextTask."""
        images = _square(images)
        return torch.stack([images.rot90(turns, (2, 3)) for turns in range(self.viewed)], 1)


def _square(images: torch.Tensor) -> torch.Tensor:
    # The shape of an image that isn't square would tell how it was turned.
    side = min(images.shape[2:])
    top, left = ((length - side) // 2 for length in images.shape[2:])
    return images[:, :, top : top + side, left : left + side]

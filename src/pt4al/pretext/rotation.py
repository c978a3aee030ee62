"""Pretext task `rotation`: tell by how many quarter turns an image was rotated.

Source: Gidaris, Singh, Komodakis, "Unsupervised Representation Learning by Predicting Image
Rotations", ICLR 2018; as used by PT4AL (ECCV 2022).
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.pretext.task import PretextTask


class Rotation(PretextTask):
    outputs = 4

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Mean of the four cross-entropies for 0, 90, 180 and 270 degrees, (B,), of the central square."""
        side = min(images.shape[2:])
        # Whole, an image that isn't square would show by its shape which way it was turned.
        top, left = ((length - side) // 2 for length in images.shape[2:])
        images = images[:, :, top : top + side, left : left + side]
        turned = torch.cat([images.rot90(turns, (2, 3)) for turns in range(self.outputs)])
        turns = torch.arange(self.outputs, device=images.device).repeat_interleave(len(images))
        return cross_entropy(network(turned), turns, reduction="none").view(self.outputs, -1).mean(0)

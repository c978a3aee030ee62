"""Pretext task `colorization`: tell the colours of an image from its brightness.

Source: Zhang, Isola, Efros, "Colorful Image Colorization", and Larsson, Maire, Shakhnarovich,
"Learning Representations for Automatic Colorization", both ECCV 2016. They classify each pixel into
bins of colour; this is a plain regression of the two chroma planes of ITU-R BT.601, which is
smaller, and whose loss is the larger the more colourful an image is.
"""

import torch
from torch import nn
from torch.nn.functional import smooth_l1_loss

from pt4al.errors import InputError
from pt4al.pretext.task import PretextTask

LUMA = (0.299, 0.587, 0.114)  # of red, green, blue (BT.601)
UNIT = 32.0  # grey levels of difference between a colour and luma: about as much as photos have


class Colorization(PretextTask):
    """Predict an image's two chroma planes from its luma."""

    outputs = 2  # blue and red, each less luma
    dense = True

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Mean smooth L1 loss (Girshick 2015) of both planes, in units of 32 levels, (B,)."""
        if images.shape[1] != 3:
            raise InputError(
                "`pretext.task` colorization needs colour; "
                f"these images have {images.shape[1]} channel"
            )
        red, green, blue = images.float().unbind(1)
        luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        chroma = torch.stack([blue - luma, red - luma], 1) / UNIT
        predicted = network(luma[:, None].expand(-1, 3, -1, -1))
        return smooth_l1_loss(predicted, chroma, reduction="none").mean((1, 2, 3))

"""Pretext task `simsiam`: give two views of an image the same features.

Source: Chen, He, "Exploring Simple Siamese Representation Learning", CVPR 2021. Their loss is a
negative cosine; one is added, so that none is negative. Views are theirs for CIFAR-10 (crops,
flips, brightness, contrast, saturation, now and then grey; no blur) but for the shifts of hue.
"""

import torch
from torch import nn
from torch.nn.functional import interpolate, normalize

from pt4al.images.augment import Augmentation
from pt4al.pretext.task import PretextTask

CROP = Augmentation(crop_padding=0, flip=True, smallest_crop=0.2)
JITTER = 0.4  # brightness, contrast and saturation are multiplied by 0.6 to 1.4
GREY = 0.2  # share of the views without colour
CORNER = 0.75  # side of the crops that score, of the image's


class SimSiam(PretextTask):
    """Give two views of an image the same features."""

    # A projection and its prediction, 256 each; theirs are 2,048 wide, for 800 epochs.
    outputs = 512
    head = "simsiam"

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """One less the cosine of prediction and projection, mean of both directions, (B,).

        Of two random views in training; else of the image and its four corners, so that the loss is
        a property of image and network. Projections are constants in the gradient.
        """
        if network.training:
            views = [drawn(images), drawn(images)]
        else:
            views = [images.float(), *corners(images)]
        answers = network(torch.cat(views)).view(len(views), len(images), -1)
        projected, predicted = (normalize(half, dim=2) for half in answers.chunk(2, dim=2))
        first = predicted[:1]
        others = predicted[1:]
        targets = projected.detach()
        # Half the squared distance is one less the cosine, and exact where the two are close.
        distances = (first - targets[1:]).square().sum(2) + (others - targets[:1]).square().sum(2)
        return distances.mean(0) / 4


def drawn(images: torch.Tensor) -> torch.Tensor:
    """Return a random view of each image, float32, by torch's generator, which the engine seeds."""
    cropped = CROP(images, None)[0].float()
    uniform = 2 * torch.rand(3, len(images), 1, 1, 1, device=images.device) - 1
    brightness, contrast, saturation = 1 + JITTER * uniform
    saturation = saturation * (torch.rand_like(saturation) >= GREY)
    grey = cropped.mean(1, keepdim=True)
    coloured = grey + saturation * (cropped - grey)
    mean = coloured.mean((1, 2, 3), keepdim=True)
    return (brightness * (mean + contrast * (coloured - mean))).clamp(0, 255)


def corners(images: torch.Tensor) -> list[torch.Tensor]:
    """Return the four corners of images (B, C, H, W), enlarged; those to the right mirrored."""
    height, width = images.shape[2:]
    down = max(1, round(CORNER * height))
    right = max(1, round(CORNER * width))
    cut = images.float()
    parts = [
        cut[..., :down, :right],
        cut[..., -down:, :right],
        cut[..., :down, -right:].flip(3),
        cut[..., -down:, -right:].flip(3),
    ]
    return [
        interpolate(part, (height, width), mode="bilinear", align_corners=False) for part in parts
    ]

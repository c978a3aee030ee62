"""Augment whole minibatches on the device they are on."""

import torch
from pydantic import Field
from torch.nn.functional import pad

from pt4al.block import Block


class Augmentation(Block):
    """What is done to each image of a minibatch, at random."""

    crop_padding: int = Field(ge=0)  # pixels of zeros around the image before a crop of its size
    flip: bool  # left to right, half of the images

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return uint8 images (B, C, H, W), cropped and flipped; one gather for both."""
        count, _, height, width = images.shape
        down, right = self._shifts(count, generator, images.device)
        rows = down[:, None] + torch.arange(height, device=images.device)
        columns = right[:, None] + torch.arange(width, device=images.device)
        if self.flip:
            flipped = torch.rand(count, generator=generator, device=images.device) < 0.5
            columns = torch.where(flipped[:, None], columns.flip(1), columns)
        padded = pad(images, [self.crop_padding] * 4)
        which = torch.arange(count, device=images.device)[:, None, None]
        # Indexing with a slice between index tensors puts the channels last: bring them back.
        return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def _shifts(self, count: int, generator: torch.Generator, device: torch.device) -> torch.Tensor:
        size = 2 * self.crop_padding + 1
        return torch.randint(size, (2, count), generator=generator, device=device)

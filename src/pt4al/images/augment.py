"""Augment whole minibatches on the device they are on."""

import math

import torch
from pydantic import Field
from torch.nn.functional import affine_grid, grid_sample, pad

from pt4al.block import Block
from pt4al.masks import IGNORED

LARGEST_SIDE = 4096  # pixels of an image of a pool
# Of a resized crop's sides, as fractions of the image's (Szegedy et al. 2015).
LARGEST_RATIO = 4 / 3


class Augmentation(Block):
    """Random changes of each image of a minibatch, and of the masks that go with them.

    Attributes
    ----------
    crop_padding
        Pixels of zeros around the image, before a crop of the image's size.
    flip
        Whether half of the images are flipped left to right.
    smallest_crop
        Least share of the area of a crop that is resized to the image's size; 1: no such crop.
    """

    crop_padding: int = Field(ge=0, le=LARGEST_SIDE)
    flip: bool
    smallest_crop: float = Field(gt=0, le=1)

    def __call__(
        self, images: torch.Tensor, generator: torch.Generator, *targets: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return uint8 images (B, C, H, W), cropped and flipped, and their targets.

        Targets (B, H, W) are masks, which move with their images; pixels from outside are ignored
        (255). Other targets stay as they are.
        """
        count, _, height, width = images.shape
        move = self._move(count, height, width, generator, images.device)
        if self.smallest_crop < 1:
            grid = self._zoom(images, generator)
            images = grid_sample(images.float(), grid, "bilinear", "border", align_corners=False)
            images = images.round().to(torch.uint8)
            targets = [_zoomed(target, grid) if target.ndim == 3 else target for target in targets]
        # Indexing with a slice between index tensors puts the channels last: bring them back.
        moved = pad(images, [self.crop_padding] * 4)[move[0], :, *move[1:]].permute(0, 3, 1, 2)
        return moved, *(
            self._padded(target)[move] if target.ndim == 3 else target for target in targets
        )

    def _padded(self, mask: torch.Tensor) -> torch.Tensor:
        return pad(mask, [self.crop_padding] * 4, value=IGNORED)

    def _move(
        self, count: int, height: int, width: int, generator: torch.Generator, device: torch.device
    ) -> tuple[torch.Tensor, ...]:
        """Return the indices (B, H, W) into padded images that crop and flip at once."""
        size = 2 * self.crop_padding + 1
        down, right = torch.randint(size, (2, count), generator=generator, device=device)
        rows = down[:, None] + torch.arange(height, device=device)
        columns = right[:, None] + torch.arange(width, device=device)
        if self.flip:
            flipped = torch.rand(count, generator=generator, device=device) < 0.5
            columns = torch.where(flipped[:, None], columns.flip(1), columns)
        return (
            torch.arange(count, device=device)[:, None, None],
            rows[:, :, None],
            columns[:, None, :],
        )

    def _zoom(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the grid (B, H, W, 2) of random resized crops, which lie within their images."""
        share, shape, *place = torch.rand(4, len(images), generator=generator, device=images.device)
        area = self.smallest_crop + (1 - self.smallest_crop) * share
        # No side is longer than the image's, so the larger the crop the closer it comes to the
        # image's shape.
        ratio = torch.exp((2 * shape - 1) * torch.clamp(-area.log(), max=math.log(LARGEST_RATIO)))
        sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1)  # of one
        centres = (2 * torch.stack(place, 1) - 1) * (1 - sides)
        transform = torch.cat([sides.diag_embed(), centres[:, :, None]], 2)
        return affine_grid(transform, images.shape, align_corners=False)


def _zoomed(mask: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    channel = mask[:, None].float()
    zoomed = grid_sample(channel, grid, "nearest", "border", align_corners=False)
    return zoomed[:, 0].to(mask.dtype)

"""Parts of a network that its family provides: a trunk, and a neck before the head."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d


@dataclass(frozen=True)
class Parts:
    """A network but for its head.

    Attributes
    ----------
    trunk
        Normalised images (B, C, H, W) in; a map (B, width, h, w), a list of maps (finest first), or
        pooled features (B, width) out. The same weights whatever comes after it.
    neck
        What the trunk answers in; features (B, width) out, or a map (B, width, h, w) of dense
        networks.
    width
        Channels that the neck answers with.
    kernel
        Pixels on each side of a dense head's window.
    multiple
        Height and width that the trunk takes are multiples of this.
    drawn
        Whether its weights are drawn as ours are (He et al. 2015); else its library has drawn them.
    """

    trunk: nn.Module
    neck: nn.Module
    width: int
    kernel: int = 1
    multiple: int = 1
    drawn: bool = True


class Pool(nn.Module):
    """Features (B, width): the mean over a trunk's last map."""

    def forward(self, maps: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
        """Return the mean of the last maps over their pixels, (B, D); features as they are."""
        last = maps[-1] if isinstance(maps, list) else maps
        return last if last.ndim == 2 else adaptive_avg_pool2d(last, 1).flatten(1)

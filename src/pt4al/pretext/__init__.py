"""Pretext tasks: self-supervised tasks whose per-image loss ranks the pool. One file a task."""

from typing import Protocol

import torch
from torch import nn

from pt4al.pretext.colorization import Colorization
from pt4al.pretext.rotation import Rotation


class PretextTask(Protocol):
    """A task that needs no labels."""

    outputs: int  # of the network's head
    dense: bool  # whether the network answers for each pixel; else once an image

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """The loss of each image, (B,)."""
        ...


PRETEXT_TASKS: dict[str, PretextTask] = {"rotation": Rotation(), "colorization": Colorization()}

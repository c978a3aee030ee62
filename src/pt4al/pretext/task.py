"""What a pretext task is: a loss that needs no labels, and from it one number an image."""

import numpy as np
import torch
from torch import nn

from pt4al.images.pool import ImagePool
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware


class PretextTask:
    """A task that needs no labels.

    Attributes
    ----------
    outputs
        Of the network's head.
    dense
        Whether the network answers for each pixel; else once an image.
    head
        What the network ends with: a name in `training.networks.heads`.
    trains
        Whether a network is trained on `loss`; a task that isn't trained overrides `score`.
    """

    outputs: int = 1
    dense: bool = False
    head: str = "linear"
    trains: bool = True

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """The loss of each image, (B,), never negative; in evaluation mode a property of image and network."""
        raise NotImplementedError(f"{type(self).__name__} has no loss to train on")

    def score(
        self, network: Network, pool: ImagePool, hardware: Hardware, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Return how hard each of these rows is (all by default), (N,) float32; the hardest is the highest."""
        return predict(network, self.loss, pool, hardware, rows, title="pretext loss")

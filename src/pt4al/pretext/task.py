"""What a pretext task is: a loss that needs no labels, and from it one number an image."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.images.pool import ImagePool
from pt4al.training.engine import predict
from pt4al.training.networks import Network, probe
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
    viewed
        How many views of an image it can be told from, by features of them that were computed
        before; 0: it can't.
    """

    outputs: int = 1
    dense: bool = False
    head: str = "linear"
    trains: bool = True
    viewed: int = 0

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """The loss of each image, (B,), never negative; in evaluation mode a property of image and network."""
        raise NotImplementedError(f"{type(self).__name__} has no loss to train on")

    def views(self, images: torch.Tensor) -> torch.Tensor:
        """Return the views (B, viewed, C, H, W) of images (B, C, H, W) that the task tells apart."""
        raise NotImplementedError(f"{type(self).__name__} has no views")

    def view_loss(self, network: nn.Module, features: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of telling which view is which, (B,), from their features (B, viewed, D)."""
        answers = network(features.flatten(0, 1))
        wanted = torch.arange(self.viewed, device=features.device).repeat(len(features))
        return (
            cross_entropy(answers, wanted, reduction="none")
            .view(len(features), self.viewed)
            .mean(1)
        )

    def score(
        self, network: Network, pool: ImagePool, hardware: Hardware, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Return how hard each of these rows is (all by default), (N,) float32; the hardest is the highest.

        `pool` may be one of views' features, which a probe was trained on.
        """
        loss = self.view_loss if network.name == probe.NAME else self.loss
        return predict(network, loss, pool, hardware, rows, title="pretext loss")

"""Pretext task: a loss that needs no labels, and by it one score an image."""

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
        Outputs of the network's head.
    dense
        Whether the network answers for each pixel; else once an image.
    head
        The network's head: a name in `training.networks.heads`.
    trains
        Whether a network is trained on `loss`; a task that isn't trained overrides `score`.
    viewed
        Number of an image's views that a probe of their features can learn the task from; 0: it
        can't.
    """

    outputs: int = 1
    dense: bool = False
    head: str = "linear"
    trains: bool = True
    viewed: int = 0

    def loss(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Return each image's loss, (B,), at least 0; in evaluation mode it is not random."""
        raise NotImplementedError(f"{type(self).__name__} has no loss to train on")

    def views(self, images: torch.Tensor) -> torch.Tensor:
        """Return the views (B, viewed, C, H, W) of images that the task tells apart."""
        raise NotImplementedError(f"{type(self).__name__} has no views")

    def view_loss(self, network: nn.Module, features: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of telling views apart by features (B, viewed, D), (B,)."""
        answers = network(features.flatten(0, 1))
        truths = torch.arange(self.viewed, device=features.device).repeat(len(features))
        losses = cross_entropy(answers, truths, reduction="none")
        return losses.view(len(features), self.viewed).mean(1)

    def score(
        self, network: Network, pool: ImagePool, hardware: Hardware, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the score of each row (all by default), (N,) float32; higher is harder.

        `pool` may hold features of views, if the network is a probe of such.
        """
        loss = self.view_loss if network.name == probe.NAME else self.loss
        return predict(network, loss, pool, hardware, rows, title="pretext loss")

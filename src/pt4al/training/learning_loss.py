"""Learning loss: a network that also learns to guess how wrong it is.

Source: Yoo and Kweon, "Learning Loss for Active Learning", CVPR 2019. Theirs guesses from four
layers and lets the guess train the trunk for the first 120 of 200 epochs; this one guesses from the
last features alone and leaves the trunk alone, so that a network that also guesses is the same
network as one that doesn't.
"""

import torch
from torch.nn.functional import cross_entropy

from pt4al.training.networks import Network

MARGIN = 1.0


def loss(
    network: Network,
    images: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the cross-entropy of each image plus `disorder` of the guesses, (B,)."""
    features = network.features(images)
    weights = weights if weights is None else weights.to(images.device, non_blocking=True)
    losses = cross_entropy(network.answer(features), targets, weights, reduction="none")
    return losses + disorder(_guess(network, features.detach()), losses.detach())


def disorder(guesses: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    """Return how wrongly guesses order pairs of images by their losses, (B,): a hinge of margin 1.

    A minibatch's first image is paired with its last, the second with the last but one. An image
    that is its own partner, or as wrong as its partner, teaches no order: 0.
    """
    order = torch.sign(losses - losses.flip(0))
    return order.abs() * torch.relu(MARGIN - order * (guesses - guesses.flip(0)))


def predicted(network: Network, images: torch.Tensor) -> torch.Tensor:
    """Return the guessed loss of each image, (B,): right in its order, in no unit."""
    return _guess(network, network.features(images))


def _guess(network: Network, features: torch.Tensor) -> torch.Tensor:
    with torch.autocast(features.device.type, enabled=False):
        return network.loss_head(features)[:, 0]

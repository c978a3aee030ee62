"""Heads of networks that answer once an image, by name."""

import copy
from collections.abc import Callable

import torch
from torch import nn


class SimSiamHead(nn.Module):
    """A projector and a predictor; returns projections and predictions, half of the outputs each.

    Batch norms stand where they stand in the paper: without them training is unstable. The
    projector has two layers, as the paper's for CIFAR-10 has, and the predictor is a bottleneck of
    a quarter of its width.

    Source: Chen, He, "Exploring Simple Siamese Representation Learning", CVPR 2021, section 4 and
    appendix D.
    """

    def __init__(self, width: int, outputs: int):
        super().__init__()
        half = outputs // 2
        self.projector = nn.Sequential(
            *_hidden(width, half), nn.Linear(half, half, bias=False), nn.BatchNorm1d(half)
        )
        self.predictor = nn.Sequential(*_hidden(half, half // 4), nn.Linear(half // 4, half))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return projections and predictions side by side, (B, outputs)."""
        projected = self.projector(features)
        # The gradient of a prediction goes on through the projection; that of a target is stopped
        # by the loss.
        return torch.cat([projected, self.predictor(projected)], 1)


def _hidden(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)]


HEADS: dict[str, Callable[[int, int], nn.Module]] = {"linear": nn.Linear, "simsiam": SimSiamHead}

UNLIKELY = -30.0  # logit of a class that a network has not heard of


def widened(network: nn.Module, outputs: int) -> nn.Module:
    """Return the network with outputs for classes that were added after it was trained.

    It holds them for impossible. A network that has all of them is returned itself.
    """
    more = outputs - network.outputs
    if more <= 0:
        return network
    network = copy.deepcopy(network)
    network.outputs = outputs
    head = network.head
    weight = head.weight.detach()
    bias = head.bias.detach()
    head.weight = nn.Parameter(torch.cat([weight, weight.new_zeros(more, *weight.shape[1:])]))
    head.bias = nn.Parameter(torch.cat([bias, bias.new_full((more,), UNLIKELY)]))
    setattr(head, "out_channels" if network.dense else "out_features", outputs)
    return network

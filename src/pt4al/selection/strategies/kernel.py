"""The Gaussian kernel of features, rounded so that its sums are exact."""

import numpy as np
import torch

from pt4al.selection.strategies.distances import squared

BLOCK = 512  # rows of the kernel made at once
STEPS = 2**20  # of the kernel, from 0 to 1


def gaussian(features: torch.Tensor, scale: float) -> np.ndarray:
    """Return the kernel of features with each other, (N, N) float32; each pair is computed once.

    It is rounded to steps of 2^-20. So sums of its differences are exact, and images that gain the
    same (two that only cover each other) are known to.
    """
    kernel = torch.empty(len(features), len(features))
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        block = exponential(squared(features[rows], features[start:]), scale)
        kernel[rows, start:] = block
        kernel[start:, rows] = block.T
    return kernel.numpy()


def between(features: torch.Tensor, others: torch.Tensor, scale: float) -> np.ndarray:
    """Return the kernel of features with others, (N, others) float32, rounded as `gaussian`."""
    kernel = torch.empty(len(features), len(others))
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        kernel[rows] = exponential(squared(features[rows], others), scale)
    return kernel.numpy()


def exponential(distances: torch.Tensor, scale: float) -> torch.Tensor:
    """Return the kernel of squared distances, in their place."""
    return distances.div_(-scale).exp_().mul_(STEPS).round_().div_(STEPS)

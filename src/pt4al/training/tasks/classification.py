"""Main task `classification`: one class an image."""

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from torch import nn
from torch.nn.functional import cross_entropy


def targets(labels: pd.Series, classes: list[str]) -> torch.Tensor:
    """Return class names as numbers (N,), in the order of the network's outputs."""
    return torch.from_numpy(pd.Index(classes).get_indexer(labels).astype(np.int64))


def loss(network: nn.Module, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each image, (B,)."""
    return cross_entropy(network(images), targets, reduction="none")


def scores(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Logits of each image, (B, classes)."""
    return network(images)


def probabilities(logits: np.ndarray, normalise: bool = False) -> np.ndarray:
    """Softmax of logits (N, classes).

    With `normalise`, each row is first divided by its Euclidean norm, as the code released
    by PT4AL's authors does; this flattens every distribution and changes the order.
    """
    logits = logits.astype(np.float64)
    if normalise:
        logits = logits / np.linalg.norm(logits, axis=1, keepdims=True)
    return softmax(logits, axis=1)


def evaluate(logits: np.ndarray, targets: torch.Tensor) -> dict[str, float]:
    """Return `accuracy`, `balanced_accuracy` (mean over classes) and `loss`, of logits (N, classes)."""
    from torchmetrics.functional.classification import multiclass_accuracy

    scored, classes = torch.from_numpy(logits), logits.shape[1]
    return {
        "accuracy": float(multiclass_accuracy(scored, targets, classes, average="micro")),
        "balanced_accuracy": float(multiclass_accuracy(scored, targets, classes, average="macro")),
        "loss": float(cross_entropy(scored, targets)),
    }

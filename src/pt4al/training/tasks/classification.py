"""Main task `classification`: one class an image."""

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.errors import InputError


def targets(labels: pd.Series, classes: list[str]) -> torch.Tensor:
    """Return class names as numbers (N,), in the order of the network's outputs; InputError for any other name."""
    numbers = pd.Index(classes).get_indexer(labels)
    if (numbers < 0).any():
        raise InputError(f"label {list(labels)[int(np.argmax(numbers < 0))]!r} is none of the {len(classes)} classes")
    return torch.from_numpy(numbers.astype(np.int64))


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
    """Return `accuracy`, `balanced_accuracy` (mean over classes that occur) and `loss`, of logits (N, classes)."""
    from torchmetrics.functional.classification import multiclass_accuracy

    scored, classes = torch.from_numpy(logits), logits.shape[1]
    by_class = multiclass_accuracy(scored, targets, classes, average="none")
    return {
        "accuracy": float(multiclass_accuracy(scored, targets, classes, average="micro")),
        "balanced_accuracy": float(by_class[targets.unique()].mean()),
        "loss": float(cross_entropy(scored, targets)),
    }

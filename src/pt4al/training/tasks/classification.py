"""Main task `classification`: one class an image."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.errors import InputError
from pt4al.training.tasks.likelihood import softmax
from pt4al.training.tasks.metric import Metric

dense = False
metric = "accuracy"
metrics = [
    Metric("accuracy", "accuracy"),
    Metric("balanced_accuracy", "balanced accuracy"),
    Metric("loss", "loss", share=False),
]

MOST_NAMED = 20  # classes whose accuracy is told one by one


def targets(labels: pd.Series, classes: list[str]) -> torch.Tensor:
    """Return class names as numbers (N,); InputError for any other name."""
    numbers = pd.Index(classes).get_indexer(labels)
    if (numbers < 0).any():
        raise InputError(
            f"label {list(labels)[int(np.argmax(numbers < 0))]!r} is none of the "
            f"{len(classes)} classes"
        )
    return torch.from_numpy(numbers.astype(np.int64))


def class_weights(targets: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the median class's share over each class's (Eigen and Fergus 2015), (classes,).

    The median is over classes that occur; one that doesn't has weight 1, which is never used.
    """
    images = torch.bincount(targets, minlength=classes).float()
    return torch.where(images > 0, images[images > 0].quantile(0.5) / images, 1.0)


def loss(
    network: nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy of each image, (B,), times the weight of its class."""
    weights = weights if weights is None else weights.to(images.device, non_blocking=True)
    return cross_entropy(network(images), targets, weights, reduction="none")


def uncertainty(
    network: nn.Module,
    images: torch.Tensor,
    measure: Callable[[torch.Tensor], torch.Tensor],
    normalise: bool = False,
) -> torch.Tensor:
    """Return a measure of each image's probabilities, in double precision, (B,)."""
    return measure(softmax(network(images), normalise)).float()


def outputs(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Logits of each image, (B, classes)."""
    return network(images)


def class_probabilities(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Probability of each class, (B, classes)."""
    return softmax(network(images)).float()


def sampled(
    network: nn.Module, images: torch.Tensor, samples: int, dropout: float, seed: int
) -> torch.Tensor:
    """Return probabilities by several networks with dropout, (samples, B, classes), float64.

    Each goes without a share `dropout` of the features, the same ones for every image: they are
    drawn from `seed` alone (Gal and Ghahramani 2016; the same masks for all as in Kirsch et al.
    2019). The trunk is asked once.
    """
    features = network.features(images)
    generator = torch.Generator().manual_seed(seed)
    kept = torch.rand((samples, 1, features.shape[1]), generator=generator) >= dropout
    thinned = features * kept.to(features.device, non_blocking=True) / (1 - dropout)
    return network.answer(thinned).double().softmax(-1)


def probabilities(logits: np.ndarray, normalise: bool = False) -> np.ndarray:
    """Softmax of logits (N, classes), float64; see `likelihood.softmax`."""
    return softmax(torch.from_numpy(logits), normalise).numpy()


def evaluate(outputs: np.ndarray, targets: torch.Tensor, classes: list[str]) -> dict[str, float]:
    """Return metrics of logits (N, classes).

    `accuracy`, `balanced_accuracy` (the mean over classes that occur), `loss`, and
    `accuracy_<class>` of the classes that occur, where there are no more than 20 classes.
    """
    from torchmetrics.functional.classification import multiclass_accuracy

    logits = torch.from_numpy(outputs)
    number = len(classes)
    by_class = multiclass_accuracy(logits, targets, number, average="none")
    occurring = targets.unique()
    named = (
        {f"accuracy_{classes[n]}": float(by_class[n]) for n in occurring}
        if number <= MOST_NAMED
        else {}
    )
    return {
        "accuracy": float(multiclass_accuracy(logits, targets, number, average="micro")),
        "balanced_accuracy": float(by_class[occurring].mean()),
        "loss": float(cross_entropy(logits, targets)),
        **named,
    }


def outcomes(outputs: np.ndarray, targets: torch.Tensor, classes: list[str]) -> pd.DataFrame:
    """Return `label`, `predicted` and its `probability` of each image, from logits (N, classes)."""
    names = np.array(classes, object)
    # As accuracy counts them: of equal logits the first.
    best = outputs.argmax(axis=1)
    likely = probabilities(outputs)[np.arange(len(best)), best]
    return pd.DataFrame(
        {
            "label": names[targets.numpy()],
            "predicted": names[best],
            "probability": likely.astype(np.float32),
        }
    )

"""Main task `segmentation`: one class a pixel.

Masks travel as PNG files of class numbers; 255 is to be ignored.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pt4al.errors import InputError
from pt4al.masks import IGNORED, VALUES, count, decode, unknown_values
from pt4al.training.tasks.likelihood import softmax
from pt4al.training.tasks.metric import Metric

dense = True
metric = "miou"
metrics = [Metric("miou", "mean IoU"), Metric("pixel_accuracy", "pixel accuracy")]


def targets(labels: pd.Series, classes: list[str]) -> torch.Tensor:
    """Return masks (bytes of PNG files) as class numbers or 255: (N, H, W), uint8.

    Raises
    ------
    InputError
        If a mask can't be read, is of another size than the first, or holds a value that is
        neither.
    """
    masks = [_decode(label, row, len(classes)) for row, label in enumerate(labels)]
    for row, mask in enumerate(masks):
        if mask.shape != masks[0].shape:
            raise InputError(
                f"mask {row} is (height, width) {mask.shape}, the first is {masks[0].shape}"
            )
    return torch.from_numpy(np.stack(masks))


def class_weights(targets: torch.Tensor, classes: int) -> torch.Tensor:
    """Return median frequency balancing's weights (Eigen and Fergus 2015), (classes,).

    A class's frequency is its share of the pixels, those to be ignored aside, of images in which it
    occurs. The median is over classes that occur; one that doesn't has weight 1, which is never
    used.
    """
    counts = torch.from_numpy(np.stack([count(mask, classes) for mask in targets.numpy()]))
    shown = torch.where(counts > 0, counts.sum(1, keepdim=True), 0).sum(0)
    frequency = counts.sum(0) / shown.clamp(min=1)
    occurs = frequency > 0
    return (
        torch.where(occurs, frequency[occurs].quantile(0.5) / frequency, 1.0)
        if occurs.any()
        else torch.ones(classes)
    )


def loss(
    network: nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Weighted mean cross-entropy of each image's pixels, (B,); 0 if all are ignored."""
    logits = network(images)
    targets = targets.long()
    scale = logits.new_zeros(VALUES)  # what each value of a mask counts
    scale[: logits.shape[1]] = (
        1 if weights is None else weights.to(logits.device, non_blocking=True)
    )
    counted = scale[targets]
    losses = counted * cross_entropy(logits, targets, ignore_index=IGNORED, reduction="none")
    return losses.sum((1, 2)) / counted.sum((1, 2)).clamp(min=torch.finfo(counted.dtype).tiny)


def uncertainty_map(
    network: nn.Module,
    images: torch.Tensor,
    measure: Callable[[torch.Tensor], torch.Tensor],
    normalise: bool = False,
) -> torch.Tensor:
    """Return a measure of each pixel's probabilities, in double precision, (B, H, W)."""
    return measure(softmax(network(images), normalise)).float()


def uncertainty(
    network: nn.Module,
    images: torch.Tensor,
    measure: Callable[[torch.Tensor], torch.Tensor],
    normalise: bool = False,
) -> torch.Tensor:
    """Return the mean of a measure over each image's pixels, (B,)."""
    return measure(softmax(network(images), normalise)).mean((1, 2)).float()


def outputs(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The best class of each pixel, (B, H, W), uint8."""
    return network(images).argmax(1).to(torch.uint8)


def evaluate(outputs: np.ndarray, targets: torch.Tensor, classes: list[str]) -> dict[str, float]:
    """Return `miou`, `pixel_accuracy` and `iou_<class>` of predictions (N, H, W).

    Intersections and unions are over all images together; classes that don't occur in the targets
    have no IoU and are left out of the mean. Where every pixel is to be ignored there is nothing:
    0.
    """
    counts = sum(_confusions(outputs, targets, len(classes)))
    hits = counts.diagonal()
    in_targets = counts.sum(1)
    in_outputs = counts.sum(0)
    ious = {
        name: float(hits[n] / (in_targets[n] + in_outputs[n] - hits[n]))
        for n, name in enumerate(classes)
        if in_targets[n]
    }
    return {
        "miou": sum(ious.values()) / max(len(ious), 1),
        "pixel_accuracy": float(hits.sum() / max(counts.sum(), 1)),
        **{f"iou_{name}": iou for name, iou in ious.items()},
    }


def mean_iou_of(
    outputs: np.ndarray, targets: torch.Tensor, classes: list[str]
) -> Callable[[np.ndarray], float]:
    """Return a function of rows of the images, some of them twice, that returns `miou` on them.

    Pixels are counted once, image by image, so that a bootstrap of a thousand samples takes a
    moment.
    """
    tallies = [
        (counts.diagonal(), counts.sum(1), counts.sum(0))
        for counts in _confusions(outputs, targets, len(classes))
    ]
    by_image = np.array(tallies)

    def metric(rows: np.ndarray) -> float:
        hits, in_targets, in_outputs = by_image[rows].sum(axis=0)
        occurs = in_targets > 0
        ious = hits[occurs] / (in_targets + in_outputs - hits)[occurs]
        return float(ious.mean()) if len(ious) else 0.0

    return metric


def outcomes(outputs: np.ndarray, targets: torch.Tensor, classes: list[str]) -> pd.DataFrame:
    """Return `label`, `predicted` and `pixels` of each pair of classes that occurs."""
    counts = sum(_confusions(outputs, targets, len(classes)))
    truths, guesses = counts.nonzero()
    names = np.array(classes, object)
    pixels = counts[truths, guesses]
    return pd.DataFrame({"label": names[truths], "predicted": names[guesses], "pixels": pixels})


def _confusions(outputs: np.ndarray, targets: torch.Tensor, classes: int) -> Iterator[np.ndarray]:
    """Return each image's pixels by class (row) and predicted class (column), int64.

    Those to be ignored are left out.
    """
    for predicted, mask in zip(outputs, targets.numpy(), strict=True):
        counted = mask != IGNORED
        pairs = classes * mask[counted].astype(np.int64) + predicted[counted]
        yield np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _decode(label: bytes, row: int, classes: int) -> np.ndarray:
    try:
        mask = decode(label)
    except InputError as error:
        raise InputError(f"mask {row} {error}") from error
    unknown = unknown_values(mask, classes)
    if len(unknown):
        raise InputError(
            f"mask {row} holds the value {unknown[0]}: "
            f"classes are 0 to {classes - 1}, {IGNORED} is ignored"
        )
    return mask

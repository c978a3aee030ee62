"""Main tasks: what the labels are for. One module a task; all expose the names of `Task`."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch import nn

from pt4al.training.tasks import classification, segmentation
from pt4al.training.tasks.metric import Metric


class Task(Protocol):
    """A main task: a module with these names."""

    dense: bool  # whether there is one answer a pixel; else one an image
    metric: str  # the one of `evaluate` that the report compares
    metrics: list[Metric]  # those of `evaluate` that the report's table shows, `metric` first

    def targets(self, labels: pd.Series, classes: list[str]) -> torch.Tensor:
        """Labels as numbers of classes, (N,) or (N, H, W); InputError for one that is no class."""
        ...

    def class_weights(self, targets: torch.Tensor, classes: int) -> torch.Tensor:
        """Weights that count rare classes as much as common ones, (classes,)."""
        ...

    def loss(
        self,
        network: nn.Module,
        images: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The loss of each image, (B,)."""
        ...

    def uncertainty(
        self,
        network: nn.Module,
        images: torch.Tensor,
        measure: Callable[[torch.Tensor], torch.Tensor],
        normalise: bool = False,
    ) -> torch.Tensor:
        """How unsure the network is of each image, (B,)."""
        ...

    def outputs(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Outputs that `evaluate` needs of each image, (B, ...)."""
        ...

    def evaluate(
        self, outputs: np.ndarray, targets: torch.Tensor, classes: list[str]
    ) -> dict[str, float]:
        """Metrics of the outputs of all images, `metric` among them; all of them numbers."""
        ...

    def outcomes(
        self, outputs: np.ndarray, targets: torch.Tensor, classes: list[str]
    ) -> pd.DataFrame:
        """What the outputs take the images for: `label` (the truth) and `predicted` among its columns.

        With `probability`, one row an image; with `pixels`, one row a pair of classes.
        """
        ...


TASKS: dict[str, Task] = {"classification": classification, "segmentation": segmentation}

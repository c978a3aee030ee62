"""How long a network is trained, and at which learning rate."""

import math
from typing import Literal

from pydantic import Field

from pt4al.block import Block

MOST_EPOCHS = 100_000


class Schedule(Block):
    """A training schedule for stochastic gradient descent with momentum."""

    epochs: float = Field(gt=0, le=MOST_EPOCHS)
    # Few labels are still trained for this many optimiser steps.
    minimum_steps: int = Field(ge=0, le=10_000_000)
    minibatch: int = Field(gt=0, le=1_000_000)  # images a step
    learning_rate: float = Field(gt=0, le=100)  # its peak
    shape: Literal["constant", "step", "one_cycle"]  # of the learning rate over the steps
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0, le=1)

    def steps(self, images: int) -> int:
        """Optimiser steps for a training set of this size."""
        return max(
            self.minimum_steps, math.ceil(self.epochs * images / min(self.minibatch, images))
        )

    def factor(self, progress: float) -> float:
        """The learning rate, as a fraction of its peak, after a fraction `progress` of the steps.

        `step`: a tenth after four fifths (PT4AL: epoch 160 of 200). `one_cycle`: linear up to
        the peak over the first fifth, then linear down to nothing (Smith 2018).
        """
        if self.shape == "one_cycle":
            return progress / 0.2 if progress < 0.2 else (1 - progress) / 0.8
        return 0.1 if self.shape == "step" and progress >= 0.8 else 1.0

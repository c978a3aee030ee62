"""Labels with where they come from: what is written of each, in every format."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

# `annotators`: who has said so, or nothing; `answered`: when, in ISO 8601, or nothing; `weight`:
# see `labels.weights`.
COLUMNS = ("id", "label", "cycle", "why", "annotators", "answered", "weight")

WEIGHT = (
    "`weight` says how many images of the pool an image stands for. It is 0 where a strategy chose "
    "the image, and equal for all images drawn at random, so that sum(weight x value) / "
    "sum(weight) is an unbiased estimate of the pool's mean, as far as people skipped none for "
    "what it shows. An image labelled before the run has weight 1: it stands for itself."
)


@dataclass(frozen=True)
class Labelled:
    """The labels that a run has, to be written for other programs.

    Attributes
    ----------
    run
        Name of the run.
    classes
        Names of its classes.
    labels
        One row an image, with COLUMNS.
    pool
        How many images the run could ask for.
    """

    run: str
    classes: list[str]
    labels: pd.DataFrame
    pool: int

    def counts(self) -> dict[str, int]:
        """Return how many images have each label, by class, those without any too."""
        counts = self.labels["label"].value_counts()
        return {name: int(counts.get(name, 0)) for name in self.classes}

    def queries(self) -> pd.DataFrame:
        """Return what asked for how many images: `cycle`, `why`, `images`."""
        grouped = self.labels.groupby(["cycle", "why"], sort=True)
        return grouped.size().rename("images").reset_index()

    @property
    def warning(self) -> str:
        """What whoever counts these labels must know, in a few sentences."""
        images = len(self.labels)
        if not self.drawn:
            return (
                "These images are not a random sample, and hold none: counts, means and scores on "
                "them say nothing of the pool they come from."
            )
        if self.drawn == images:
            return "These images speak for the pool they come from: no strategy chose any of them."
        return (
            f"These images are not a random sample: a strategy chose {images - self.drawn} of "
            f"{images}, for being hard or unlike each other. Counts, means and scores on them say "
            "little of the pool they come from, unless they are weighted (`weight`)."
        )

    @property
    def drawn(self) -> int:
        """How many images speak for the pool."""
        return int((self.labels["weight"] > 0).sum())


# Id, suffix (`.jpg`) and bytes of pictures' files.
Files = Iterable[tuple[str, str, bytes]]

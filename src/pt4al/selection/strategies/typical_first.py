"""Strategy `typical_first`: typical images while labels are few, then uncertain ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pt4al.errors import InputError, did_you_mean
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.centres import Centres
from pt4al.selection.strategies.coreset import Coreset
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.probcover import ProbCover
from pt4al.selection.strategies.top import Top
from pt4al.selection.strategies.typiclust import TypiClust

FIRST = {"typiclust": TypiClust, "probcover": ProbCover, "coreset": Coreset, "centres": Centres}
TURNS = {**FIRST, "top": Top}


@dataclass(frozen=True)
class TypicalFirst:
    """Strategy `first` while there are fewer than `per_class` labels a class, then `top`.

    Hacohen, Dekel, Weinshall (ICML 2022) show that few labels want typical images and many want
    uncertain ones; where to change over is ours.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "features", "labelled"})
    per_class: int = 10
    first: str = "typiclust"

    def __post_init__(self) -> None:
        check("per_class", self.per_class, 0, whole=True)
        if self.first not in FIRST:
            raise InputError(
                f"`query.options.first` is {self.first!r}: {did_you_mean(self.first, FIRST)}"
            )

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        name = self.turn(len(evidence.labelled) / evidence.classes)
        return TURNS[name]().choose(evidence)

    def turn(self, labels: float) -> str:
        """Return the strategy whose turn it is, with so many labels a class."""
        return self.first if labels < self.per_class else "top"

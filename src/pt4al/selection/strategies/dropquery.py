"""Strategy `dropquery`: images whose class hangs on a few features, one of each cluster."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from pt4al.errors import InputError
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies.clusters import assign, in_turn, kmeans
from pt4al.selection.strategies.distances import Part, chunks
from pt4al.selection.strategies.near_duplicates import leave_out
from pt4al.selection.strategies.options import check
from pt4al.selection.strategies.top import best

PASSES = 3
CHANGES = 2  # in at least so many passes the predicted class is another


@dataclass(frozen=True)
class DropQuery:
    """Candidates whose class changes in 2 of 3 passes with dropout; nearest to k-means centres.

    Gupte, Aklilu, Nirschl, Yeung-Levy, "Revisiting Active Learning in the Era of Vision Foundation
    Models", TMLR 2024 (arXiv 2401.14555): k-means of these candidates with as many clusters as the
    budget, of each the nearest to its centre. If there are fewer than the budget the best scored
    follow (ours). Near duplicates of chosen images are left out: the next of their clusters follow.
    `query.features` must be those that the head reads. Their first query, at k-means centres, is
    start `centres`.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "features", "head"})
    dropout: float = 0.75

    def __post_init__(self) -> None:
        check("dropout", self.dropout, 0, 0.99)

    def choose(self, evidence: Evidence) -> np.ndarray:
        """See Strategy."""
        changed = np.flatnonzero(self._changes(evidence) >= CHANGES)
        order = best(evidence.scores, len(evidence))
        if len(changed) > evidence.budget:
            features = Part(evidence.features, changed)
            centres = kmeans(features, evidence.budget, evidence.rng)
            first = changed[in_turn(*assign(features, centres))]
        else:
            first = order[np.isin(order, changed)]
        order = np.concatenate([first, order[~np.isin(order, changed)]])
        return leave_out(evidence.features, order, evidence.budget, evidence.rng)

    def _changes(self, evidence: Evidence) -> np.ndarray:
        """Return in how many passes the predicted class of each candidate changes, (N,) int."""
        weight, bias = (torch.from_numpy(np.array(part, np.float32)) for part in evidence.head)
        if weight.shape[1] != evidence.features.shape[1]:
            raise InputError(
                "`query.strategy: dropquery` needs the features that the head reads, "
                f"{weight.shape[1]} an image; "
                f"these are {evidence.features.shape[1]}: set `query.features` to `main`"
            )
        changes = np.zeros(len(evidence), np.int64)
        for rows, chunk in chunks(evidence.features):
            drawn = evidence.rng.random((len(chunk), PASSES, chunk.shape[1]), np.float32)
            kept = chunk[:, None] * torch.from_numpy(drawn >= self.dropout) / (1 - self.dropout)
            predicted = (chunk @ weight.T + bias).argmax(1)
            other = (kept @ weight.T + bias).argmax(2)
            changes[rows] = (other != predicted[:, None]).sum(1).numpy()
        return changes

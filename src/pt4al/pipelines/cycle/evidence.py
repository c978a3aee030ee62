"""Gather what a strategy needs to know: passes over the pool, each only if it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.features.vectors import Features
from pt4al.images.pool import ImagePool
from pt4al.project.configuration.parameters import Engine, Main, Query, Run
from pt4al.randomness import stream
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import BALANCED_NEEDS, STRATEGIES
from pt4al.selection.uncertainty import BALD, LEARNING_LOSS, MEASURES, RANDOM, bald
from pt4al.statistics.correlation import rank_correlation
from pt4al.training import engine as training
from pt4al.training import learning_loss
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS, classification

CACHED = "cached"  # features that were computed before; else the network's that chooses
SAMPLES = 20  # networks thinned out by dropout, for BALD


@dataclass(frozen=True)
class Known:
    """What there is to choose from, and what is known of it.

    Attributes
    ----------
    images
        What the model that chooses reads: the pool, or features.
    features
        Those that were computed before the run.
    """

    pool: ImagePool
    images: ImagePool | Features
    features: Features
    candidates: pd.DataFrame
    label_set: pd.DataFrame
    classes: list[str]


@dataclass(frozen=True)
class Gatherer:
    """Computes fields of Evidence by their names. `network` is what chooses."""

    known: Known
    network: Network | None
    audit: pd.DataFrame | None
    query: Query
    main: Main
    engine: Engine
    run: Run
    cycle: int

    def evidence(self, budget: int, needs: frozenset[str]) -> Evidence:
        """Return the evidence, its fields computed as far as they are needed."""
        return Evidence(
            budget=budget,
            rng=stream(self.run.seed, "strategy", self.cycle),
            cycle=self.cycle,
            classes=len(self.known.classes),
            batches=self.known.candidates["batch"].to_numpy(),
            losses=self.known.candidates["pretext_loss"].to_numpy(),
            **{name: getattr(self, name)() for name in sorted(needs)},
        )

    def scores(self) -> np.ndarray:
        if self.query.measure == RANDOM:
            # One for each image of the pool: whatever the candidates, an image's stays the same.
            drawn = stream(self.run.seed, "query", self.cycle).random(len(self.known.pool))
            return drawn[self.known.pool.rows(self.known.candidates["id"])]
        return self._predict(self._measure(), "query")

    def _measure(self) -> Callable[..., torch.Tensor]:
        if self.query.measure == LEARNING_LOSS:
            return learning_loss.predicted
        if self.query.measure == BALD:
            seed = int(stream(self.run.seed, "dropout", self.cycle).integers(2**63))
            sampled = partial(
                classification.sampled, samples=SAMPLES, dropout=self.main.dropout, seed=seed
            )
            return lambda network, images: bald(sampled(network, images))
        uncertainty = TASKS[self.main.task].uncertainty
        measure = MEASURES[self.query.measure]
        return partial(uncertainty, measure=measure, normalise=self.query.normalise_logits)

    def probabilities(self) -> np.ndarray:
        return self._predict(classification.class_probabilities, "probabilities")

    def features(self) -> np.ndarray:
        return self._features(self.known.candidates["id"])

    def labelled(self) -> np.ndarray:
        ids = self.known.label_set["id"]
        if not len(ids):
            return self._features(self.known.candidates["id"].head(1))[:0]
        return self._features(ids)[: len(ids)]

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        head = self.network.head
        return head.weight.detach().cpu().numpy(), head.bias.detach().cpu().numpy()

    def counts(self) -> np.ndarray:
        numbers = TASKS[self.main.task].targets(self.known.label_set["label"], self.known.classes)
        return np.bincount(numbers, minlength=len(self.known.classes))

    def correlation(self) -> float | None:
        """Lower bound of the newest audit's interval."""
        if self.audit is None:
            return None
        return rank_correlation(self.audit["pretext_loss"], self.audit["main_loss"])["low"]

    def _features(self, ids: pd.Series) -> np.ndarray:
        if self.query.features == CACHED:
            return self.known.features.view(self.known.features.rows(ids))
        return self._predict(Network.features, "features", ids)

    def _predict(self, function: Any, title: str, ids: pd.Series | None = None) -> np.ndarray:
        images = self.known.images
        rows = images.rows(self.known.candidates["id"] if ids is None else ids)
        hardware = Hardware(self.engine.device, self.engine.precision)
        return training.predict(self.network, function, images, hardware, rows, title=title)


def needs(query: Query) -> frozenset[str]:
    """Return the fields of Evidence that a query's strategy reads."""
    return STRATEGIES[query.strategy].needs | (BALANCED_NEEDS if query.balance else frozenset())

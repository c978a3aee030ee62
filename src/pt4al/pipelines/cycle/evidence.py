"""Gather what a strategy needs to know: passes over the pool, each only if it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.images.pool import ImagePool
from pt4al.parameters import Engine, Main, Query, Run
from pt4al.randomness import stream
from pt4al.reporting.statistics import rank_correlation
from pt4al.selection.evidence import Evidence
from pt4al.selection.strategies import BALANCED_NEEDS, STRATEGIES
from pt4al.selection.uncertainty import BALD, LEARNING_LOSS, MEASURES, RANDOM, bald
from pt4al.training import engine as training
from pt4al.training import learning_loss
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS, classification

SAMPLES = 20  # networks thinned out by dropout, for BALD


@dataclass(frozen=True)
class Gatherer:
    """Computes fields of Evidence by their names. `network` is what chooses, `spread` what features come from."""

    pool: ImagePool
    candidates: pd.DataFrame
    label_set: pd.DataFrame
    classes: list[str]
    network: Network | None
    spread: Network
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
            classes=len(self.classes),
            batches=self.candidates["batch"].to_numpy(),
            losses=self.candidates["pretext_loss"].to_numpy(),
            **{name: getattr(self, name)() for name in sorted(needs)},
        )

    def scores(self) -> np.ndarray:
        if self.query.measure == RANDOM:
            return stream(self.run.seed, "query", self.cycle).random(len(self.candidates))
        return self._predict(self.network, self._measure(), "query")

    def _measure(self) -> Callable[..., torch.Tensor]:
        if self.query.measure == LEARNING_LOSS:
            return learning_loss.predicted
        if self.query.measure == BALD:
            seed = int(stream(self.run.seed, "dropout", self.cycle).integers(2**63))
            sampled = partial(classification.sampled, samples=SAMPLES, dropout=self.main.dropout, seed=seed)
            return lambda network, images: bald(sampled(network, images))
        uncertainty, measure = TASKS[self.main.task].uncertainty, MEASURES[self.query.measure]
        return partial(uncertainty, measure=measure, normalise=self.query.normalise_logits)

    def probabilities(self) -> np.ndarray:
        return self._predict(self.network, classification.class_probabilities, "probabilities")

    def features(self) -> np.ndarray:
        return self._predict(self.spread, Network.features, "features")

    def labelled(self) -> np.ndarray:
        ids = self.label_set["id"] if len(self.label_set) else self.candidates["id"].head(1)
        return self._predict(self.spread, Network.features, "features", ids)[: len(self.label_set)]

    def counts(self) -> np.ndarray:
        numbers = TASKS[self.main.task].targets(self.label_set["label"], self.classes)
        return np.bincount(numbers, minlength=len(self.classes))

    def correlation(self) -> float | None:
        """Lower bound of the newest audit's interval."""
        if self.audit is None:
            return None
        return rank_correlation(self.audit["pretext_loss"], self.audit["main_loss"])["low"]

    def _predict(self, network: Network, function: Any, title: str, ids: pd.Series | None = None) -> np.ndarray:
        rows = self.pool.rows(self.candidates["id"] if ids is None else ids)
        hardware = Hardware(self.engine.device, self.engine.precision)
        return training.predict(network, function, self.pool, hardware, rows, title=title)


def needs(query: Query) -> frozenset[str]:
    """Return the fields of Evidence that a query's strategy reads."""
    return STRATEGIES[query.strategy].needs | (BALANCED_NEEDS if query.balance else frozenset())

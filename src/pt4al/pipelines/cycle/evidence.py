"""Gather what a strategy needs to know: passes over the pool, each only if it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from pt4al.pipelines.cycle.model import Model
from pt4al.pipelines.cycle.state import CycleState
from pt4al.project.configuration.parameters import Parameters, Query
from pt4al.randomness import stream
from pt4al.selection.evidence import Evidence
from pt4al.selection.grounds import later_grounds, start_grounds
from pt4al.selection.strategies import BALANCED_NEEDS, STRATEGIES, balanced
from pt4al.selection.uncertainty import (
    BALD,
    LEARNING_LOSS,
    MEASURES,
    RANDOM,
    bald,
    random_scores,
)
from pt4al.selection.why import Grounds
from pt4al.training import learning_loss
from pt4al.training.networks import Network
from pt4al.training.tasks import TASKS, classification

CACHED = "cached"  # features that were computed before; else the network's that is asked
SAMPLES = 20  # networks thinned out by dropout, for BALD


@dataclass(frozen=True)
class Sources:
    """Where the evidence of a query comes from. Before cycle 0 there is no model to ask."""

    state: CycleState
    candidates: pd.DataFrame
    settings: Parameters
    cycle: int
    model: Model | None = None

    @property
    def rows(self) -> np.ndarray:
        """Rows of the candidates in the pool."""
        return self.candidates["id"].to_numpy()

    def ask(self, function: Callable[..., torch.Tensor], title: str) -> np.ndarray:
        """Return what the model says of the candidates."""
        rows = self.model.images.same(self.state.pool, self.rows)
        return self.model.ask_rows(function, rows, title)


def chooser(query: Query, first: bool) -> tuple[Callable[[Evidence], np.ndarray], frozenset[str]]:
    """Return what chooses the first query or a later one, and the fields of Evidence it reads."""
    if first:
        strategy = STRATEGIES[query.start]()
        return strategy.choose, strategy.needs
    strategy = STRATEGIES[query.strategy](**query.options)
    if query.balance:
        return partial(balanced, strategy), strategy.needs | BALANCED_NEEDS
    return strategy.choose, strategy.needs


def query_grounds(query: Query, state: CycleState, cycle: int) -> Grounds:
    """Return what chose the images of a cycle's query, and what it looked at."""
    in_batch = query.scope == "batch"
    if cycle == 0:
        return start_grounds(query.start, in_batch)
    labels = len(state.label_set) / len(state.classes)
    strategy = STRATEGIES[query.strategy](**query.options)
    return later_grounds(query.strategy, strategy, query.measure, in_batch, query.balance, labels)


def gather(sources: Sources, budget: int, needs: frozenset[str]) -> Evidence:
    """Return the evidence, its fields computed as far as they are needed."""
    return Evidence(
        budget=budget,
        rng=stream(sources.settings.run.seed, "strategy", sources.cycle),
        cycle=sources.cycle,
        classes=len(sources.state.classes),
        batches=sources.candidates["batch"].to_numpy(),
        losses=sources.candidates["pretext_loss"].to_numpy(),
        cluster=replace(sources.settings.engine.workforce, gpus=0.0),
        **{name: FIELDS[name](sources) for name in sorted(needs)},
    )


def _scores(sources: Sources) -> np.ndarray:
    if sources.settings.query.measure == RANDOM:
        rng = stream(sources.settings.run.seed, "query", sources.cycle)
        return random_scores(sources.rows, len(sources.state.pool), rng)
    return sources.ask(_measure(sources), "query")


def _measure(sources: Sources) -> Callable[..., torch.Tensor]:
    query = sources.settings.query
    main = sources.settings.main
    if query.measure == LEARNING_LOSS:
        return learning_loss.predicted
    if query.measure == BALD:
        rng = stream(sources.settings.run.seed, "dropout", sources.cycle)
        seed = int(rng.integers(2**63))
        sampled = partial(classification.sampled, samples=SAMPLES, dropout=main.dropout, seed=seed)
        return lambda network, images: bald(sampled(network, images))
    uncertainty = TASKS[main.task].uncertainty
    return partial(uncertainty, measure=MEASURES[query.measure], normalise=query.normalise_logits)


def _probabilities(sources: Sources) -> np.ndarray:
    return sources.ask(classification.class_probabilities, "probabilities")


def _features(sources: Sources) -> np.ndarray:
    return _features_of(sources, sources.rows)


def _labelled(sources: Sources) -> np.ndarray:
    rows = sources.state.pool.rows(sources.state.label_set["id"])
    if not len(rows):
        return _features_of(sources, sources.rows[:1])[:0]
    return _features_of(sources, rows)[: len(rows)]


def _features_of(sources: Sources, rows: np.ndarray) -> np.ndarray:
    """Features of rows of the pool."""
    pool = sources.state.pool
    if sources.model is None or sources.settings.query.features == CACHED:
        features = sources.state.features
        return features.view(features.same(pool, rows))
    model = sources.model
    return model.ask_rows(Network.features, model.images.same(pool, rows), "features")


def _head(sources: Sources) -> tuple[np.ndarray, np.ndarray]:
    head = sources.model.network.head
    return head.weight.detach().cpu().numpy(), head.bias.detach().cpu().numpy()


def _counts(sources: Sources) -> np.ndarray:
    classes = sources.state.classes
    task = TASKS[sources.settings.main.task]
    numbers = task.targets(sources.state.label_set["label"], classes)
    return np.bincount(numbers, minlength=len(classes))


# Fields of Evidence that take a pass over images or labels.
FIELDS: dict[str, Callable[[Sources], Any]] = {
    "counts": _counts,
    "features": _features,
    "head": _head,
    "labelled": _labelled,
    "probabilities": _probabilities,
    "scores": _scores,
}

"""The main model of a cycle: what it learns from, how it starts, and what it says of images."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

from pt4al.features.probe import probe
from pt4al.features.vectors import Features
from pt4al.images.pool import ImagePool
from pt4al.labels.label_set import trained_on
from pt4al.pipelines.cycle.state import CycleState
from pt4al.project.configuration.parameters import Main, Parameters
from pt4al.randomness import torch_generator
from pt4al.selection.uncertainty import LEARNING_LOSS
from pt4al.training import learning_loss
from pt4al.training.engine import Training, fit, predict
from pt4al.training.networks import (
    Network,
    add_loss_head,
    blank_probe,
    build,
    copy_trunk,
    load_pretrained,
    restart,
    widened,
)
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS

Images = ImagePool | Features


@dataclass(frozen=True)
class Model:
    """A trained network and what it reads."""

    network: Network
    images: Images
    hardware: Hardware

    @classmethod
    def enter(
        cls, network: Network, images: Images, classes: list[str], settings: Parameters
    ) -> "Model":
        """Return the model of a network, which may have been trained before classes were added."""
        return cls(widened(network, len(classes)), images, settings.engine.hardware)

    def ask(
        self,
        function: Callable[..., torch.Tensor],
        ids: pd.Series,
        title: str,
        targets: torch.Tensor | None = None,
    ) -> np.ndarray:
        """Return `function(network, images[, targets])` of images, in the order of their ids."""
        return self.ask_rows(function, self.images.rows(ids), title, targets)

    def ask_rows(
        self,
        function: Callable[..., torch.Tensor],
        rows: np.ndarray,
        title: str,
        targets: torch.Tensor | None = None,
    ) -> np.ndarray:
        """Return what `ask` does, of rows of the images that the model reads."""
        return predict(self.network, function, self.images, self.hardware, rows, targets, title)


@dataclass(frozen=True)
class Lesson:
    """Labelled images to learn from: their rows, a target each, and a weight a class or None.

    Attributes
    ----------
    classes
        How many there are.
    """

    images: Images
    rows: np.ndarray
    targets: torch.Tensor
    weights: torch.Tensor | None
    classes: int
    hardware: Hardware

    @classmethod
    def make(
        cls, images: Images, label_set: pd.DataFrame, classes: list[str], settings: Parameters
    ) -> "Lesson":
        """Return the lesson of a whole label set."""
        task = TASKS[settings.main.task]
        targets = task.targets(label_set["label"], classes)
        rows = images.rows(label_set["id"])
        weights = None
        if settings.main.class_weights == "median_frequency":
            weights = task.class_weights(targets, len(classes))
        return cls(images, rows, targets, weights, len(classes), settings.engine.hardware)

    def fit_head(self, network: Network) -> pd.DataFrame:
        """Fit the head of a network alone, in place; returns its training curve."""
        return probe(network, self.images, self.rows, self.targets, self.hardware, self.weights)

    def fit(
        self, network: Network, settings: Parameters, rng: np.random.Generator, title: str
    ) -> pd.DataFrame:
        """Train a network in place; returns its training curve."""
        main = settings.main
        loss = TASKS[main.task].loss
        if settings.query.measure == LEARNING_LOSS:
            loss = learning_loss.loss
        loss = partial(loss, weights=self.weights)
        frozen = math.inf if main.frozen == "all" else main.frozen
        training = Training(main.schedule, rng, main.augment, frozen, title, run=settings.run.name)
        return fit(network, loss, self.images, training, self.hardware, self.rows, self.targets)


def fit_probe(
    features: Features, label_set: pd.DataFrame, classes: list[str], settings: Parameters
) -> Network:
    """Return a linear probe of the features, fitted to a label set."""
    lesson = Lesson.make(features, label_set, classes, settings)
    network = blank_probe(features.shape[-1], len(classes))
    lesson.fit_head(network)
    return network


def asked_model(state: CycleState, settings: Parameters, cycle: int) -> Model:
    """Return the model that is asked how sure it is.

    It is the main model of the cycle before, or a probe of features that has the same labels.
    """
    if settings.query.model != "probe":
        return Model.enter(state.network, state.images, state.classes, settings)
    learnt = trained_on(state.label_set, cycle - 1, settings.control.train)
    network = fit_probe(state.features, learnt, state.classes, settings)
    return Model(network, state.features, settings.engine.hardware)


def learn(
    lesson: Lesson,
    trunk: Network,
    previous: Network | None,
    settings: Parameters,
    rng: np.random.Generator,
    title: str,
) -> tuple[Network, pd.DataFrame]:
    """Return the main network, trained on a lesson, and its training curve.

    Parameters
    ----------
    trunk, previous
        See `prepare_network`.
    title
        What its progress is called.
    """
    main = settings.main
    generator = torch_generator(rng)
    network = prepare_network(lesson.images, lesson.classes, trunk, previous, settings, generator)
    if main.frozen == "all" and not TASKS[main.task].dense:
        return network, lesson.fit_head(network)
    if main.start_from == "features":
        # A head that fits from the start keeps the trunk from being bent by a random one's
        # gradients.
        lesson.fit_head(network)
        network.still = True
    return network, lesson.fit(network, settings, rng, title)


def prepare_network(
    images: Images,
    classes: int,
    trunk: Network,
    previous: Network | None,
    settings: Parameters,
    generator: torch.Generator,
) -> Network:
    """Return the main network before its training.

    Parameters
    ----------
    trunk
        The pretext network, or the one whose features are computed: whichever `main.start_from`
        names.
    previous
        The network of the cycle before, to go on from; None to start as in cycle 0.
    """
    network = _started(images, classes, trunk, settings.main, generator)
    if settings.query.measure == LEARNING_LOSS:
        add_loss_head(network, generator)
    if previous is not None:
        network.load_state_dict(widened(previous, classes).state_dict())
    return network


def _started(
    images: Images, classes: int, trunk: Network, main: Main, generator: torch.Generator
) -> Network:
    if main.probes:
        network = blank_probe(images.shape[-1], classes)
    elif main.start_from == "features":
        network = restart(trunk, classes, generator)
    else:
        dense = TASKS[main.task].dense
        network = build(main.network, classes, (images.mean, images.std), generator, dense=dense)
    if main.start_from == "pretext":
        copy_trunk(trunk, network)
    elif main.start_from == "pretrained":
        load_pretrained(network, main.weights)
    network.dropout = main.dropout
    return network

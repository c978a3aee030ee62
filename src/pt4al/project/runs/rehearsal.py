"""Rehearse a run with two images: a step of each training, and the evidence of a query. Nothing of it is kept.

A run trains for hours before it needs what its last settings name, and a comparison for days.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pt4al.errors import InputError
from pt4al.features import backbones
from pt4al.features.scoring import scoring
from pt4al.features.vectors import Features
from pt4al.images.collection import Collection
from pt4al.images.pool import ImagePool
from pt4al.images.survey import infer_frame
from pt4al.labels import label_set
from pt4al.masks import encode
from pt4al.pipelines.cycle import nodes as cycle
from pt4al.pipelines.cycle.evidence import Sources, chooser, gather
from pt4al.pipelines.cycle.model import asked_model
from pt4al.pipelines.cycle.state import CycleState
from pt4al.pipelines.pretext import nodes as pretext
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Main, Parameters, Pretext
from pt4al.selection import control as controls
from pt4al.selection.strategies import FEATURE_STARTS
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import TASKS

REHEARSED = 2  # images: the fewest that batch norms can tell apart
SHORT = {
    "epochs": 1e-3,
    "minimum_steps": 0,
    "learning_rate": 1e-6,
    "weight_decay": 0.0,
}  # a step that changes nothing


def sample(parameters: Parameters, pool: Collection) -> ImagePool:
    """Return images made up, of the size and the channels that a pool would have."""
    recipe = parameters.pool
    frame = infer_frame(pool, recipe.size, recipe.channels, recipe.fit, recipe.background)
    shape = REHEARSED, frame.channels, frame.height, frame.width
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    index = pd.DataFrame({"id": [f"made up {row}" for row in range(REHEARSED)], "split": "train"})
    return ImagePool(images, index, [127.0] * frame.channels, [70.0] * frame.channels, "made up")


def rehearse(parameters: Parameters, pool: ImagePool, classes: list[str] | None) -> None:
    """Take a step of each training and make a query's evidence, with two images: nothing of it is kept.

    Parameters
    ----------
    classes
        Of the main task; None if it is not to be trained.

    Raises
    ------
    InputError
        If crops, networks, weights, tasks and images don't fit each other.
    """
    engine = parameters.engine.model_copy(update={"ranks": 1})  # two images are no work for more
    parameters = parameters.model_copy(update={"engine": engine})
    _check_crops(parameters, pool.shape)
    small = ImagePool(
        pool.gather(np.arange(min(REHEARSED, len(pool)))).numpy(),
        pool.index.head(REHEARSED),
        pool.mean,
        pool.std,
        pool.sha256,
    )
    seen = _rehearse_features(parameters, small)
    trunk = _attempt("pretext", parameters, small, partial(_rehearse_pretext, parameters, seen))
    if classes is None:
        return
    if parameters.features.from_pretext:
        vectors = predict(trunk, Network.features, small, _hardware(parameters))
        seen = replace(seen, features=_made_up(vectors, small.index))
    _attempt("main", parameters, small, partial(_rehearse_main, parameters, seen, classes, trunk))


@dataclass(frozen=True)
class _Seen:
    """What a rehearsal has of two images: the images, their features and those of their views, and whose they are."""

    pool: ImagePool
    features: Features | None = None
    views: Features | None = None
    network: Network | None = None


def key(parameters: Parameters) -> str:
    """Return a key of all settings that a rehearsal depends on: cells of a comparison share one."""
    blocks = [
        getattr(parameters, name)
        for name in ("pool", "features", "pretext", "main", "query", "engine")
    ]
    return fingerprint(*blocks, _fewest(parameters))


def _check_crops(parameters: Parameters, shape: tuple[int, ...]) -> None:
    side = min(shape[1:])
    for name in ("pretext", "main"):
        padding = getattr(parameters, name).augment.crop_padding
        if padding >= side:
            raise InputError(
                f"`{name}.augment.crop_padding` {padding} would move images of {shape[1]} x"
                f" {shape[2]} pixels out of sight: it must be less than {side}"
            )


def _attempt(
    name: str, parameters: Parameters, pool: ImagePool, rehearsal: Callable[[], Any]
) -> Any:
    block: Pretext | Main = getattr(parameters, name)
    try:
        return rehearsal()
    except InputError as error:
        raise InputError(f"block `{name}`: {error}") from None
    # Networks are other people's code, and raise what they like: for an image that is too small,
    # say.
    except Exception as error:
        channels, height, width = pool.shape
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"`{name}.network` {block.network} can't be trained for {name}.task {block.task} on"
            f" images of {height} x {width} pixels and {channels} channels,"
            f" {min(len(pool), block.schedule.minibatch)} at a time: {told}"
        ) from error


def _rehearse_features(parameters: Parameters, pool: ImagePool) -> _Seen:
    settings = parameters.features
    if settings.from_pretext:
        return _Seen(pool)
    backbone = backbones.load(settings.network, settings.weights, settings.size)
    frame = backbone.frame
    task = PRETEXT_TASKS[parameters.pretext.task]
    shape = len(pool), frame.channels, frame.height, frame.width
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    views = None
    pixels = frame.height * frame.width
    with scoring(backbone.network, _hardware(parameters), pixels) as scorer:
        features = _made_up(scorer(images), pool.index)
    if parameters.pretext.start_from == "features":
        with scoring(backbone.network, _hardware(parameters), pixels, task.views) as scorer:
            views = _made_up(scorer(images), pool.index)
    return _Seen(pool, features, views, backbone.network)


def _made_up(vectors: np.ndarray, index: pd.DataFrame) -> Features:
    return Features(vectors.astype(np.float16), index, "made up")


def _rehearse_pretext(parameters: Parameters, seen: _Seen) -> Network:
    images = seen.views or seen.pool
    settings = parameters.model_copy(update={"pretext": _shortened(parameters.pretext)})
    network, _ = pretext.train(images, settings)
    task = PRETEXT_TASKS[parameters.pretext.task]
    hardware = _hardware(parameters)
    if task.trains:
        task.score(network, images, hardware)
    if seen.views is None:
        predict(network, Network.features, images, hardware)
    return network


def _rehearse_main(parameters: Parameters, seen: _Seen, classes: list[str], trunk: Network) -> None:
    main = _shortened(parameters.main)
    control = parameters.control.model_copy(update={"share": 0.0})
    settings = parameters.model_copy(update={"main": main, "control": control})
    task = TASKS[main.task]
    pool = seen.pool
    images = seen.features if main.probes else pool
    trunk = trunk if main.start_from != "features" or main.probes else seen.network
    labels = _labels(pool, classes, _fewest(parameters), task.dense)
    network, _ = cycle.train(images, labels, classes, trunk, trunk, settings, cycle=0)
    if main.start_from == "previous_cycle":
        network, _ = cycle.train(images, labels, classes, network, trunk, settings, cycle=1)
    predict(network, task.outputs, images, _hardware(settings))
    candidates = pd.DataFrame({"id": np.arange(len(pool)), "batch": 0, "pretext_loss": 0.0})
    query = settings.query
    _, needs = chooser(query, first=False)
    if query.start in FEATURE_STARTS:
        needs |= chooser(query, first=True)[1]
    state = CycleState(pool, seen.features, None, labels, classes, network, images)
    model = asked_model(state, settings, 1)
    gather(Sources(state, candidates, settings, 1, model), 1, needs)


def _fewest(parameters: Parameters) -> int:
    """How many images a rehearsal of main training has: no more than the first cycle's."""
    share = parameters.control.share
    first = parameters.cycles.budgets[0]
    apart = 0 if share == "auto" else controls.size(first, share)
    return min(REHEARSED, first - apart)


def _hardware(parameters: Parameters) -> Hardware:
    return Hardware(parameters.engine.device, parameters.engine.precision)


def _shortened(block: Any) -> Any:
    return block.model_copy(update={"schedule": block.schedule.model_copy(update=SHORT)})


def _labels(pool: ImagePool, classes: list[str], number: int, dense: bool) -> pd.DataFrame:
    """A label set of made-up labels."""
    ids = pool.ids.head(number)
    labels = [classes[row % len(classes)] for row in range(len(ids))]
    if dense:
        mask = np.arange(np.prod(pool.shape[1:])).reshape(pool.shape[1:]) % len(classes)
        labels = [encode(mask.astype(np.uint8), compress_level=9)] * len(ids)
    answers = pd.DataFrame({"id": ids.to_numpy(), "label": labels})
    return label_set.extend(label_set.empty(), answers, 0, "rehearsal")

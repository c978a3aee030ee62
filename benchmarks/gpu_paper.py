"""The paper's run on CIFAR-10: how long it would take by the rates, and the run itself where there is time for it."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import configuration
import pools
from gpu_report import Row
from pt4al.images.pool import ImagePool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.source import Source
from pt4al.randomness import stream, torch_generator
from pt4al.selection import candidates as query
from pt4al.selection import ranking
from pt4al.selection.ranked import RankedRows
from pt4al.selection.uncertainty import MEASURES
from pt4al.training import networks
from pt4al.training.engine import Training, fit, predict
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

IMAGES, TESTED, SHAPE, CLASSES = 50_000, 10_000, (3, 32, 32), 10
NETWORK = "resnet18"
MOST = 360  # seconds that a whole run may take
# What it changes in conf/paper: PT4AL, section 4.1, and the authors' code (minibatches, augmentation).
PARAMS = (
    "pretext.network=resnet18,pretext.schedule.epochs=15,pretext.schedule.minibatch=256,"
    "pretext.schedule.shape=constant,pretext.augment.crop_padding=0,pretext.augment.flip=false,"
    "main.network=resnet18,main.schedule.epochs=200,main.schedule.minimum_steps=0,main.schedule.minibatch=128,"
    "main.schedule.shape=step,main.augment.crop_padding=4,"
    "cycles.number=10,cycles.budget=1000"
)


def settings(hardware: Hardware) -> Parameters:
    """Return the paper's settings."""
    engine = f"engine.device={hardware.device},engine.precision={hardware.precision}"
    return configuration.read("paper", f"{PARAMS},{engine}")


def extrapolated(rows: list[Row], paper: Parameters) -> float | None:
    """Return the seconds of the paper's run by the rates of its network; None if one is missing."""
    rates = {row.what.split(",")[0]: row.value for row in rows if row.part == "rate" and f", {NETWORK} at " in row.what}
    if not {"train", "pretext", "score"} <= rates.keys():
        return None
    number = paper.cycles.number
    labels = np.cumsum(paper.cycles.budgets).sum()  # of all cycles together
    trained = paper.main.schedule.epochs * labels
    scored = TESTED * number + IMAGES / number * (number - 1) + IMAGES * PRETEXT_TASKS["rotation"].outputs
    pretext = paper.pretext.schedule.epochs * IMAGES
    return trained / rates["train"] + pretext / rates["pretext"] + scored / rates["score"]


def whole(paper: Parameters, hardware: Hardware, data: Path | None) -> Iterator[Row]:
    """Do the paper's run: pretext training, ranking, ten cycles."""
    with tempfile.TemporaryDirectory() as folder:
        images = _images(data, paper, Path(folder))
        yield from _run(paper, hardware, images, "" if data else ", of random images")


def _run(
    paper: Parameters, hardware: Hardware, images: list[tuple[ImagePool, torch.Tensor]], remark: str
) -> Iterator[Row]:
    (pool, targets), (tested, answers) = images
    start = time.perf_counter()
    rotation, rng = PRETEXT_TASKS["rotation"], stream(0, "pretext")
    network = networks.build(paper.pretext.network, rotation.outputs, (pool.mean, pool.std), torch_generator(rng))
    fit(network, rotation.loss, pool, Training(paper.pretext.schedule, rng, augment=paper.pretext.augment), hardware)
    losses = rotation.score(network, pool, hardware)
    yield Row("paper", "pretext training and losses", time.perf_counter() - start, "s")
    table = ranking.split(ranking.rank(pool.ids, losses, paper.ranking.order), paper.cycles.number)
    ranked = RankedRows.gather([table], pool.rows, len(pool))
    labelled, main = np.empty(0, np.int64), None
    for cycle in range(paper.cycles.number):
        began = time.perf_counter()
        labelled = np.concatenate([labelled, _asked(ranked, pool, labelled, main, cycle, paper, hardware)])
        rng = stream(0, "main", cycle)
        main = networks.build(paper.main.network, CLASSES, (pool.mean, pool.std), torch_generator(rng))
        wanted, augment = targets[torch.from_numpy(labelled)], paper.main.augment
        fit(
            main,
            classification.loss,
            pool,
            Training(paper.main.schedule, rng, augment=augment),
            hardware,
            rows=labelled,
            targets=wanted,
        )
        outputs = predict(main, classification.outputs, tested, hardware)
        accuracy = float((outputs.argmax(1) == answers.numpy()).mean())
        told = f"accuracy {accuracy:.2%} with {len(labelled):,} labels{remark}"
        yield Row("paper", f"cycle {cycle}", time.perf_counter() - began, "s", told)
    yield Row("paper", "the whole run", time.perf_counter() - start, "s", "PT4AL on CIFAR-10, ResNet-18")


def _asked(
    ranked: RankedRows,
    pool: ImagePool,
    labelled: np.ndarray,
    main: networks.Network | None,
    cycle: int,
    paper: Parameters,
    hardware: Hardware,
) -> np.ndarray:
    """Return the rows of the pool that a cycle asks for."""
    candidates = ranked.unlabelled(labelled, paper.query.scope, cycle)
    budget = paper.cycles.budgets[cycle]
    if main is None:
        return query.start(candidates, paper.query.start, budget, stream(0, "query", cycle))["id"].to_numpy()
    rows, measure = candidates["id"].to_numpy(), MEASURES[paper.query.measure]
    function = lambda network, images: classification.uncertainty(network, images, measure)  # noqa: E731
    scores = predict(main, function, pool, hardware, rows)
    return rows[np.argsort(-scores, kind="stable")[:budget]]


def _images(data: Path | None, paper: Parameters, folder: Path) -> list[tuple[ImagePool, torch.Tensor]]:
    """Return pool and test split, with their labels; random ones without data, whose accuracy means nothing."""
    if data is None:
        return [pools.made(IMAGES, SHAPE), pools.made(TESTED, SHAPE)]
    block = paper.pool.model_copy(update={"source": Source(kind="auto", path=str(data.resolve()))})
    return [pools.shipped(block, folder / split, split=split) for split in ("train", "test")]

"""Record many cheap runs with control slices: a person who is always right, a linear probe, real images."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import configuration
from pt4al.features import probe
from pt4al.files.whole import replacing
from pt4al.images.building import build
from pt4al.images.collection import Collection
from pt4al.images.decode import Frame
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.pool.nodes import collect
from pt4al.pipelines.pretext import nodes
from pt4al.project.configuration.identity import fingerprint
from pt4al.project.configuration.parameters import Parameters
from pt4al.randomness import stream
from pt4al.selection import control
from pt4al.selection.uncertainty import MEASURES
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware
from pt4al.training.tasks import classification

KEY = ["data", "strategy", "train", "seed"]
# On CIFAR-10 a seeded noise of 4 grey levels hides the traces of JPEG that re-encoded copies have.
DATA = {"fashion_mnist": "fashion_mnist_small", "cifar10": "cifar10"}
TYPED = {
    "fashion_mnist": "",
    "cifar10": "pool.noise=4,pool.limit.train=10000,pool.limit.test=10000,pretext.network=resnet8_w16,"
    "main.network=resnet8_w16,pretext.schedule.epochs=2",
}


@dataclass(frozen=True)
class Split:
    """Images as features of a pretext network, (N, width), and their classes, (N,)."""

    features: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Course:
    """How the runs go: cycles of `budget` labels, `share` of them a control slice."""

    cycles: int
    budget: int
    share: float


def prepare(data: str, source: str | None, folder: Path, params: str = "") -> Path:
    """Train the pretext network and ask it once; return the file of its features of the pool and the test split."""
    typed = ",".join(filter(None, [TYPED[data], f"pool.source.path={source}" if source else "", params]))
    settings = configuration.read(DATA[data], typed)
    kept = folder / f"{data}_{fingerprint(settings.pool, settings.pretext)}.npz"
    if not kept.exists():
        arrays = _features(settings, folder)
        with replacing(kept) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
    return kept


@cache
def load(prepared: Path) -> dict[str, Split]:
    """Return `train`, the pool, and `test`."""
    with np.load(prepared) as arrays:
        return {name: Split(arrays[f"{name}_features"], arrays[f"{name}_targets"]) for name in ("train", "test")}


@dataclass(frozen=True)
class Round:
    """What a run has after a cycle: rows of the pool, and the probe that it has trained.

    Attributes
    ----------
    asked
        Rows that the strategy has chosen, those of cycle 0 (which are random) first.
    slices
        The rows of each control slice.
    layer
        Weight and bias of the probe.
    """

    asked: np.ndarray
    slices: list[np.ndarray]
    layer: tuple[np.ndarray, np.ndarray]


def rounds(both: dict[str, Split], course: Course, strategy: str, train: bool, seed: int) -> Iterator[Round]:
    """Run cycle after cycle. `strategy`: a measure of uncertainty, or `random`; `train`: on earlier slices, too."""
    pool, classes = both["train"], int(both["train"].targets.max()) + 1
    size = control.size(course.budget, course.share)
    everything = pd.Series(np.arange(len(pool.targets)))
    # One cycle is planned: the others come one after another, as a person decides.
    apart = control.set_apart(everything, [course.budget], course.share, stream(seed, "control"))
    free = np.setdiff1d(everything, apart["id"])
    asked, layer, slices = np.empty(0, np.int64), None, []
    for cycle in range(course.cycles):
        rng = stream(seed, "query", cycle)
        used = pd.Series(np.concatenate([asked, *slices]))
        slices.append(control.take(apart, used, size)["id"].to_numpy())
        query = _choose(pool.features, np.setdiff1d(free, asked), layer, strategy, course.budget - size, rng)
        asked = np.concatenate([asked, query])
        known = np.concatenate([asked, *slices[:cycle]]) if train else asked
        layer = probe.fit(pool.features[known], pool.targets[known], classes)[:2]
        yield Round(asked, list(slices), layer)


def record(both: dict[str, Split], course: Course, strategy: str, train: bool, seed: int) -> pd.DataFrame:
    """Return one run: `cycle`, `labels`, `truth` (accuracy on the test split), `right` of `images` control images."""
    pool, test, rows = both["train"], both["test"], []
    for cycle, now in enumerate(rounds(both, course, strategy, train, seed)):
        measured = now.slices[cycle] if train else np.concatenate(now.slices)
        right = is_right(pool, measured, now.layer)
        rows.append(
            {
                "cycle": cycle,
                "labels": (cycle + 1) * course.budget,
                "truth": is_right(test, np.arange(len(test.targets)), now.layer).mean(),
                "right": right.sum(),
                "images": len(right),
            }
        )
    return pd.DataFrame(rows)


def is_right(split: Split, rows: np.ndarray, layer: tuple) -> np.ndarray:
    """Return whether a layer's answer is right, for each of some rows, (rows,)."""
    weight, bias = layer
    return (split.features[rows] @ weight.T + bias).argmax(1) == split.targets[rows]


def _choose(
    features: np.ndarray, candidates: np.ndarray, layer: tuple | None, strategy: str, budget: int, rng
) -> np.ndarray:
    if layer is None or strategy == "random":
        return rng.choice(candidates, budget, replace=False)
    weight, bias = layer
    probabilities = torch.from_numpy(features[candidates] @ weight.T + bias).softmax(1)
    uncertain = MEASURES[strategy](probabilities).numpy()
    return candidates[np.argsort(-uncertain, kind="stable")[:budget]]


def _features(settings: Parameters, folder: Path) -> dict[str, np.ndarray]:
    hardware, parts = Hardware(settings.engine.device, settings.engine.precision), collect(settings.pool)
    pool = _pool(parts["train"], settings, folder / f"train_{fingerprint(settings.pool)}", None)
    test = _pool(parts["test"], settings, folder / f"test_{fingerprint(settings.pool)}", pool.frame)
    pretext = settings.pretext.model_copy(update={"start_from": "fresh"})
    network, _ = nodes.train(pool, settings.model_copy(update={"pretext": pretext}))
    found = {}
    for name, images in {"train": pool, "test": test}.items():
        labels = parts[name].labels.set_index("id")["label"].loc[images.ids]
        found[f"{name}_features"] = predict(network, Network.features, images, hardware, title=f"features of {name}")
        found[f"{name}_targets"] = classification.targets(labels, parts[name].classes).numpy()
    return found


def _pool(collection: Collection, settings: Parameters, folder: Path, frame: Frame | None) -> ImagePool:
    if not folder.exists():
        with replacing(folder) as temporary:
            build(collection, temporary, settings.pool, frame=frame)
    return open_pool(folder)

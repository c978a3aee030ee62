"""Work in shards that benchmarks of clusters do: each kind leaves files in a folder, the same bytes whoever does it."""

import hashlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import torch
from PIL import Image

from pt4al.cluster.seam import Cluster
from pt4al.features import store
from pt4al.features.backbones import Backbone, weights_digest
from pt4al.images.building import Recipe, build
from pt4al.images.collection import Collection, Picture
from pt4al.images.decode import Frame
from pt4al.images.pool import ImagePool, open_pool
from pt4al.pretext import PRETEXT_TASKS
from pt4al.selection.strategies import parts
from pt4al.selection.strategies.coverage import cover
from pt4al.training import networks
from pt4al.training.engine import predict
from pt4al.training.networks import Network
from pt4al.training.precision import Hardware

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers have no benchmarks to import

NETWORK = "resnet8_w16"
SIDE = 32  # pixels of the pool's images
LARGE = 256  # pixels of the pictures
CHOSEN = 100  # images, by herding
DIFFERENT = 64  # pictures; others are the same again
MOMENTS = ([127.0] * 3, [70.0] * 3)
RECIPE = Recipe(size=SIDE, fit="crop", channels=3, background=255, noise=0, bad_share=0.5)

Do = Callable[[Cluster, Path], None]


@dataclass(frozen=True)
class Work:
    """What is worked on.

    Attributes
    ----------
    pictures
        To decode, and to compute features of.
    images
        Of a pool on disk, whose losses and scores are computed.
    folder
        Holds that pool.
    poison
        Row of a picture that ends whoever decodes it, or None.
    """

    pictures: int
    images: int
    folder: Path
    poison: int | None = None

    @property
    def kinds(self) -> dict[str, Do]:
        """Ways to work, by name."""
        return {
            "decode": self.decode,
            "features": self.features,
            "pretext losses": self.losses,
            "scores": self.scores,
            "herding by parts": self.herding,
        }

    def count(self, kind: str) -> int:
        """Return how many images a kind of work has."""
        return self.pictures if kind in ("decode", "features") else self.images

    def decode(self, cluster: Cluster, folder: Path) -> None:
        """Build a pool of pictures."""
        build(self._collection, folder / "pool", RECIPE, cluster=cluster)

    def features(self, cluster: Cluster, folder: Path) -> None:
        """Compute features of pictures."""
        network = _network()
        frame = Frame(3, SIDE, SIDE, "crop", 255)
        backbone = Backbone("made up", network, 64, frame, "bilinear", weights_digest(network))
        collection = self._collection
        store.compute(collection, collection.index["id"], backbone, folder / "features", _hardware(cluster))

    def losses(self, cluster: Cluster, folder: Path) -> None:
        """Compute pretext losses of a pool."""
        task = PRETEXT_TASKS["rotation"]
        losses = task.score(_network(task.outputs), self.pool, _hardware(cluster))
        np.save(folder / "losses.npy", losses)

    def scores(self, cluster: Cluster, folder: Path) -> None:
        """Compute probabilities of a pool's images."""
        scores = predict(_network(10), _probabilities, self.pool, _hardware(cluster))
        np.save(folder / "scores.npy", scores)

    def herding(self, cluster: Cluster, folder: Path) -> None:
        """Choose by herding in parts, from features on disk."""
        features = np.load(self._features, mmap_mode="r")
        weights = np.random.default_rng(1).random(len(features), np.float32)
        draw = np.random.default_rng(2)
        chosen = cover(features, features[:0], weights, 1.0, CHOSEN, draw, parts.choice(True, cluster))
        np.save(folder / "chosen.npy", chosen)

    def scoring(self, together: int) -> tuple[list[np.ndarray], Callable, Callable]:
        """Return the scores' work in pieces: rows of each shard, what prepares, what scores some rows."""
        network = _network(10)
        pool = self.pool
        cuts = range(0, len(pool), together)
        shards = [np.arange(first, min(first + together, len(pool))) for first in cuts]
        alone = _hardware(Cluster())
        return shards, lambda: network, lambda model, rows: predict(model, _probabilities, pool, alone, rows)

    @cached_property
    def pool(self) -> ImagePool:
        """The pool whose images are scored."""
        folder = self.folder / f"pool of {self.images}"
        if not (folder / "pool.json").exists():
            few = _album(_pixels(SIDE), self.images, None)
            build(few, folder, RECIPE)
        return open_pool(folder)

    @cached_property
    def _features(self) -> Path:
        path = self.folder / f"features of {self.images}.npy"
        if not path.exists():
            np.save(path, np.random.default_rng(0).normal(size=(self.images, 16)).astype(np.float32))
        return path

    @cached_property
    def _collection(self) -> Collection:
        pictures = [_encoded(picture) for picture in _pixels(LARGE)]
        return _album(pictures, self.pictures, self.poison)


def digest(folder: Path) -> str:
    """Return a digest of all files of a folder, by their names."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.relative_to(folder).as_posix().encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _hardware(cluster: Cluster) -> Hardware:
    return Hardware("cpu", "fp32", cluster)


def _network(outputs: int = 4) -> Network:
    return networks.build(NETWORK, outputs, MOMENTS, torch.Generator().manual_seed(0)).eval()


def _probabilities(network: Network, images: torch.Tensor) -> torch.Tensor:
    return network(images).float().softmax(1)


def _pixels(side: int) -> np.ndarray:
    """Return pictures (N, side, side, 3) that are smooth, as photographs are: JPEG files of noise are large."""
    coarse = np.random.default_rng(0).integers(0, 256, (DIFFERENT, 8, 8, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.BICUBIC)) for one in coarse])


def _encoded(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def _album(pictures: list[Picture] | np.ndarray, count: int, poison: int | None) -> Collection:
    ids = [f"picture {row:07d}" for row in range(count)]
    facts = {"source": "album", "split": "train", "stamp": "1", "label": "a"}
    index = pd.DataFrame({"id": pd.Series(ids, dtype="str"), **facts})

    def picture(row: int) -> Picture:
        return _kill if row == poison else pictures[row % len(pictures)]

    return Collection(index, ["a"], lambda rows: (picture(row) for row in rows))


def _kill() -> bytes:
    """End the process that decodes this picture, as one would that takes all memory."""
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    return b""

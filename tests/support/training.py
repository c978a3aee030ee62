"""Fixtures to train with: real images that ship with the project, and made-up ones that are smaller still."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from pt4al.images.pool import ImagePool
from pt4al.images.sources.parquet import read
from pt4al.randomness import stream, torch_generator
from pt4al.training import networks
from pt4al.training.networks import Network
from pt4al.training.schedule import Schedule
from pt4al.training.tasks import classification

FASHION = Path(__file__).parents[2] / "data" / "01_raw" / "fashion_mnist"


@pytest.fixture(scope="session")
def fashion() -> tuple[ImagePool, torch.Tensor]:
    """256 images of the Fashion-MNIST that ships, and their classes."""
    collection = read(str(FASHION))
    collection = collection.take(np.flatnonzero(collection.index["split"] == "train")).sample(256)
    pictures = collection.pictures(np.arange(256))
    images = np.stack([np.array(Image.open(io.BytesIO(picture)).convert("L"))[None] for picture in pictures])
    pool = ImagePool(images, collection.index, [float(images.mean())], [float(images.std())], "in memory")
    return pool, classification.targets(collection.labels["label"], collection.classes)


@pytest.fixture(scope="session")
def make_pool() -> Callable[..., ImagePool]:
    """Make a pool in memory of images (N, channels, height, width); random ones by default."""

    def make(images: np.ndarray | int) -> ImagePool:
        if isinstance(images, int):
            images = np.random.default_rng(0).integers(0, 256, (images, 1, 8, 8), np.uint8)
        index = pd.DataFrame({"id": [f"image {row}" for row in range(len(images))]})
        return ImagePool(images, index, [120.0], [70.0], "made up")

    return make


@pytest.fixture(scope="session")
def make_network() -> Callable[..., Network]:
    """Build a network, for grey images unless `channels` says 3."""

    def make(
        outputs: int = 10, seed: int = 0, name: str = "resnet8_w16", dense: bool = False, channels: int = 1
    ) -> Network:
        generator = torch_generator(stream(seed, "network"))
        return networks.build(name, outputs, ([120.0] * channels, [70.0] * channels), generator, dense=dense)

    return make


@pytest.fixture(scope="session")
def make_schedule() -> Callable[..., Schedule]:
    """Make a schedule: one epoch of minibatches of 16, but for what is given."""

    def make(**changes: object) -> Schedule:
        usual = {"epochs": 1, "minimum_steps": 0, "minibatch": 16, "learning_rate": 0.05}
        return Schedule(**usual | {"shape": "constant", "momentum": 0.9, "weight_decay": 5e-4} | changes)

    return make

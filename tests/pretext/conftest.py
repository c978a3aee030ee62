"""Pools and networks to try pretext tasks on."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pt4al.images.pool import ImagePool
from pt4al.images.sources.parquet import read
from pt4al.pretext import PretextTask
from pt4al.randomness import stream, torch_generator
from pt4al.training.networks import Network, build
from pt4al.training.precision import Hardware
from pt4al.training.schedule import Schedule
from support.hardware import HARDWARE

FASHION = Path(__file__).parents[2] / "data" / "01_raw" / "fashion_mnist"


def pool_of(images: np.ndarray) -> ImagePool:
    """A pool in memory of images (N, channels, height, width)."""
    index = pd.DataFrame({"id": [f"image {row}" for row in range(len(images))]})
    channels = images.shape[1]
    return ImagePool(images, index, [120.0] * channels, [70.0] * channels, "in memory")


@pytest.fixture
def hardware() -> Hardware:
    return HARDWARE


@pytest.fixture(scope="session")
def make_pool() -> Callable[[np.ndarray], ImagePool]:
    return pool_of


@pytest.fixture(scope="session")
def fashion() -> ImagePool:
    """256 images of the Fashion-MNIST that ships."""
    collection = read(str(FASHION))
    collection = collection.take(np.flatnonzero(collection.index["split"] == "train")).sample(256)
    pictures = collection.pictures(np.arange(256))
    return pool_of(np.stack([np.array(Image.open(io.BytesIO(picture)).convert("L"))[None] for picture in pictures]))


@pytest.fixture(scope="session")
def make_network() -> Callable[..., Network]:
    """Build a network that a task can use."""

    def make(task: PretextTask, seed: int = 0, channels: int = 1) -> Network:
        generator, blank = torch_generator(stream(seed, "network")), ([120.0] * channels, [70.0] * channels)
        return build("resnet8_w16", task.outputs, blank, generator, dense=task.dense, head=task.head)

    return make


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(
        epochs=2, minimum_steps=0, minibatch=64, learning_rate=0.05, shape="one_cycle", momentum=0.9, weight_decay=5e-4
    )

"""Losses are taken of the same images twice: as they are, and with noise too faint to see."""

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.images.pool import ImagePool
from pt4al.pretext.shortcut import NoisyPool, score_twice
from pt4al.pretext.task import PretextTask
from pt4al.training.networks import build
from support.hardware import HARDWARE


class Brightness(PretextTask):
    """How bright an image is: content, which no faint noise changes."""

    def loss(self, network, images):
        return images.float().mean((1, 2, 3))


class Parity(PretextTask):
    """The share of even grey levels: a trace, which is there or not, and which nobody sees."""

    def loss(self, network, images):
        return (images.float() % 2 == 0).float().mean((1, 2, 3))


@pytest.fixture(scope="module")
def pool() -> ImagePool:
    rng = np.random.default_rng(0)
    level, even = rng.integers(40, 200, (200, 1, 1, 1)), rng.random((200, 1, 1, 1))
    images = (level + rng.integers(-8, 9, (200, 1, 16, 16))) // 2 * 2
    images = (images + (rng.random(images.shape) > even)).astype(np.uint8)
    index = pd.DataFrame({"id": [f"image {row}" for row in range(200)], "source": "", "split": "train"})
    return ImagePool(images, index, [120.0], [50.0], "")


def correlation(task: PretextTask, pool: ImagePool, rows: np.ndarray) -> float:
    network = build("resnet8_w16", task.outputs, (pool.mean, pool.std), torch.Generator().manual_seed(0))
    clean, faint = score_twice(task, network, pool, HARDWARE, rows)
    assert len(clean) == len(faint) == len(rows)
    np.testing.assert_allclose(clean, task.loss(None, pool.gather(rows)))
    return float(np.corrcoef(clean, faint)[0, 1])


def test_what_is_read_from_content_survives_and_what_is_read_from_traces_does_not(pool):
    rows = np.arange(200)
    assert correlation(Brightness(), pool, rows) > 0.99
    assert correlation(Parity(), pool, rows) < 0.3


def test_noise_is_the_same_whichever_rows_are_asked_for(pool):
    noisy = NoisyPool(pool)
    torch.testing.assert_close(noisy.gather(np.array([5, 3])), noisy.gather(np.arange(10))[[5, 3]])
    assert len(noisy) == len(pool)
    assert noisy.shape == pool.shape
    assert not torch.equal(noisy.gather(np.arange(3)), pool.gather(np.arange(3)))

"""U-Nets answer for every pixel, learn thin things, and give their encoder to pretext tasks."""

import numpy as np
import pandas as pd
import pytest
import torch

from pt4al.images.pool import ImagePool
from pt4al.randomness import stream
from pt4al.training.engine import Training, fit, predict
from pt4al.training.networks import copy_trunk
from pt4al.training.tasks import segmentation
from support.hardware import HARDWARE


@pytest.fixture(scope="module")
def bars() -> tuple[ImagePool, torch.Tensor]:
    """Noisy images (1, 45, 61) with one bright bar of 3 pixels' width, and where it is."""
    rng = np.random.default_rng(0)
    masks = np.zeros((64, 45, 61), np.uint8)
    for mask, column in zip(masks, rng.integers(0, 58, 64), strict=True):
        mask[:, column : column + 3] = 1
    images = (rng.integers(0, 100, (64, 1, 45, 61)) + 120 * masks[:, None]).astype(np.uint8)
    index = pd.DataFrame({"id": [f"bar {row}" for row in range(64)]})
    return ImagePool(images, index, [60.0], [40.0], "made up"), torch.from_numpy(masks)


def test_small_unet_learns_bars_thinner_than_its_stride_in_images_that_it_must_pad(bars, make_network, make_schedule):
    pool, masks = bars
    network = make_network(2, name="unet_small", dense=True)
    schedule = make_schedule(epochs=15, minibatch=8, shape="one_cycle", learning_rate=0.1)
    fit(network, segmentation.loss, pool, Training(schedule, stream(0, "fit")), HARDWARE, targets=masks)
    found = segmentation.evaluate(predict(network, segmentation.outputs, pool, HARDWARE), masks, ["ground", "bar"])
    assert found["iou_bar"] > 0.6


def test_encoder_goes_from_a_plain_network_to_a_dense_one_and_back(make_network):
    plain = make_network(4, seed=1, name="unet_small")
    dense = make_network(2, seed=2, name="unet_small", dense=True)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 1, 40, 40), np.uint8))
    copy_trunk(plain, dense)
    with torch.inference_mode():
        assert torch.equal(plain.eval().features(images), dense.eval().features(images))
    copy_trunk(dense, plain)

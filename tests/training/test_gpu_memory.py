"""A GPU whose memory is too small; torch's own error is raised here by hand."""

import numpy as np
import pytest
import torch

from pt4al.errors import InputError
from pt4al.randomness import stream
from pt4al.training.engine import Training, fit, predict
from pt4al.training.precision import Hardware

CPU = Hardware("cpu", "fp32")


def test_scoring_goes_on_with_smaller_minibatches(make_network, make_pool) -> None:
    sizes = []

    def level(network, images):
        if len(images) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(images))
        return images[:, 0, 0, 0].float()

    pool = make_pool(20)
    found = predict(make_network(), level, pool, CPU)
    assert sizes == [4] * 5  # 128 was halved until it was less than 5
    np.testing.assert_array_equal(found, pool.gather(np.arange(20))[:, 0, 0, 0])


def test_scoring_that_has_no_room_for_one_image_says_so(make_network, make_pool) -> None:
    def full(network, images):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(InputError, match="pretext loss: the GPU's memory has no room for one image"):
        predict(make_network(), full, make_pool(20), CPU, title="pretext loss")


def test_training_that_has_no_room_says_which_setting_to_lower(make_network, make_pool, make_schedule) -> None:
    def full(network, images):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(InputError, match="train on 16 images at once: lower the schedule's `minibatch`"):
        fit(make_network(), full, make_pool(20), Training(make_schedule(), stream(0, "fit")), CPU)

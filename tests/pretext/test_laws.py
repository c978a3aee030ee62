"""Laws of every pretext task: its loss is a property of one image and one network."""

import numpy as np
import pytest
import torch

from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import torch_generator
from pt4al.training.networks import Network, build

TOLERANCE = 1e-5  # fp32: convolutions sum in another order when the minibatch is larger


@pytest.fixture(params=PRETEXT_TASKS)
def task(request):
    return PRETEXT_TASKS[request.param]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 3, 12, 12), np.uint8))


@pytest.fixture
def network(task) -> Network:
    generator = torch_generator(np.random.default_rng(1))
    return build("resnet8_w16", task.outputs, [120.0] * 3, [70.0] * 3, generator, dense=task.dense).eval()


def losses(task, network: Network, images: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return task.loss(network, images).numpy()


def test_loss_of_a_minibatch_is_that_of_one_image_at_a_time(task, network, images):
    alone = np.concatenate([losses(task, network, image[None]) for image in images])
    np.testing.assert_allclose(losses(task, network, images), alone, rtol=TOLERANCE, atol=TOLERANCE)


def test_loss_does_not_depend_on_the_order_of_the_minibatch(task, network, images):
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    expected = losses(task, network, images)[order]
    np.testing.assert_allclose(losses(task, network, images[order]), expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_loss_is_one_finite_number_an_image_and_never_negative(task, network, images):
    found = losses(task, network, images)
    assert found.shape == (9,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_loss_tells_images_apart(task, network, images):
    assert len(set(losses(task, network, images))) == 9


def test_loss_is_the_same_every_time(task, network, images):
    np.testing.assert_array_equal(losses(task, network, images), losses(task, network, images))


def test_images_are_left_as_they_were(task, network, images):
    before = images.clone()
    losses(task, network, images)
    assert torch.equal(images, before)


def test_loss_has_a_gradient_for_every_weight(task, network, images):
    task.loss(network, images).mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())

"""Laws of every pretext task: its score, and its loss, is a property of one image and one network."""

import numpy as np
import pytest
import torch

from pt4al.pretext import PRETEXT_TASKS
from pt4al.training.networks import Network

TOLERANCE = 1e-5  # fp32: convolutions sum in another order when the minibatch is larger
TRAINED = [name for name, task in PRETEXT_TASKS.items() if task.trains]


@pytest.fixture(params=TRAINED)
def task(request):
    return PRETEXT_TASKS[request.param]


@pytest.fixture(params=PRETEXT_TASKS)
def any_task(request):
    return PRETEXT_TASKS[request.param]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 3, 12, 12), np.uint8))


@pytest.fixture
def pool(make_pool):
    return make_pool(np.random.default_rng(1).integers(0, 256, (40, 3, 12, 12), np.uint8))


@pytest.fixture
def network(task, make_network) -> Network:
    return make_network(task, channels=3).eval()


@pytest.fixture
def score(any_task, make_network, pool, hardware):
    """What scores rows of the pool."""
    network = make_network(any_task, channels=3)
    return lambda rows=None: any_task.score(network, pool, hardware, rows)


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
    task.loss(network.train(), images)
    assert torch.equal(images, before)


def test_loss_has_a_gradient_for_every_weight(task, network, images):
    task.loss(network, images).mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_what_a_loss_draws_in_training_is_a_matter_of_the_global_seed(task, network, images):
    found = []
    with torch.random.fork_rng():
        for _ in range(2):
            torch.manual_seed(0)
            found.append(task.loss(network.train(), images).detach().numpy())
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("shape", [(12, 17), (13, 11)])
def test_images_may_have_any_shape(task, network, shape):
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, *shape), np.uint8))
    assert np.isfinite(losses(task, network, images)).all()


def test_score_is_one_finite_number_an_image_and_never_negative(score):
    found = score()
    assert found.shape == (40,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_score_of_some_rows_is_that_of_all(score):
    rows = np.array([31, 2, 7])
    np.testing.assert_allclose(score(rows), score()[rows], rtol=TOLERANCE, atol=TOLERANCE)


def test_score_is_the_same_every_time_and_tells_images_apart(score):
    np.testing.assert_array_equal(score(), score())
    assert len(set(score())) == 40

"""SimSiam: two views of an image should have the same features, and not because all images have."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, normalize

from pt4al.pretext.simsiam import SimSiam, corners, drawn
from pt4al.randomness import stream
from pt4al.training.engine import Training, fit, predict


def noise(count: int = 4) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 3, 16, 16), np.uint8))


class Answers(nn.Module):
    """A network that gives these answers, whatever it is shown."""

    def __init__(self, answers: torch.Tensor):
        super().__init__()
        self.answers = nn.Parameter(answers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.answers


def random_answers(views: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=(4 * views, 6)).astype(np.float32))


def test_loss_in_training_is_the_papers_plus_one():
    answers = random_answers(views=2)
    (z1, z2), (p1, p2) = (half.view(2, 4, 3) for half in answers.chunk(2, 1))
    expected = 1 - (cosine_similarity(p1, z2) + cosine_similarity(p2, z1)) / 2
    torch.testing.assert_close(SimSiam().loss(Answers(answers).train(), noise()).detach(), expected)


def test_loss_in_evaluation_is_the_mean_over_the_four_corners():
    answers = random_answers(views=5)
    projected, predicted = (half.view(5, 4, 3) for half in answers.chunk(2, 1))
    both = [
        2 - cosine_similarity(predicted[0], projected[view]) - cosine_similarity(predicted[view], projected[0])
        for view in range(1, 5)
    ]
    found = SimSiam().loss(Answers(answers).eval(), noise())
    torch.testing.assert_close(found.detach(), torch.stack(both).mean(0) / 2)


def test_projections_are_constants_in_the_gradient():
    network = Answers(random_answers(views=2)).train()
    SimSiam().loss(network, noise()).mean().backward()
    projected, predicted = network.answers.grad.chunk(2, 1)
    assert projected.abs().max() == 0
    assert predicted.abs().min() > 0


def test_views_differ_between_images_and_draws_and_stay_in_range():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        same = noise(1).expand(6, -1, -1, -1)
        views = torch.cat([drawn(same), drawn(same)])
    assert len({view.numpy().tobytes() for view in views}) == 12
    assert views.min() >= 0
    assert views.max() <= 255


def test_corners_are_those_of_the_image():
    images = torch.zeros(1, 1, 8, 8)
    images[..., :4, :4] = 100  # the upper left quarter is bright
    means = [float(corner.mean()) for corner in corners(images)]
    assert max(means) == means[0]
    assert min(means) == means[3]
    assert {tuple(corner.shape) for corner in corners(images)} == {(1, 1, 8, 8)}


def test_features_do_not_collapse_on_real_images(fashion, make_network, schedule, hardware):
    """A collapsed network gives all images one output; the paper watches the spread, 1 / sqrt(width) on a sphere.

    Without batch norms in the head the same training ends at an eighth of that.
    """
    task = SimSiam()
    network = make_network(task)
    longer = schedule.model_copy(update={"epochs": 8, "minibatch": 32})
    curve = fit(network, task.loss, fashion, Training(longer, stream(0, "fit")), hardware)
    assert curve["loss"].iloc[-1] < 0.7 * curve["loss"].iloc[0]
    answers = predict(network, lambda network, images: network(images), fashion, hardware)
    projected = normalize(torch.from_numpy(answers[:, : task.outputs // 2]))
    assert projected.std(0).mean() * (task.outputs // 2) ** 0.5 > 0.5
    assert task.score(network, fashion, hardware).mean() < curve["loss"].iloc[0] * 0.7

"""A network that guesses its own loss is the network it would be without, and learns to order images by it."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from pt4al.randomness import stream, torch_generator
from pt4al.training import learning_loss
from pt4al.training.engine import Training, fit, predict
from pt4al.training.networks import add_loss_head
from pt4al.training.tasks import classification
from support.hardware import HARDWARE


@pytest.fixture
def make_guesser(make_network):
    """Build a network with a head that guesses its loss."""

    def make():
        network = make_network()
        add_loss_head(network, torch_generator(stream(0, "loss head")))
        return network

    return make


def test_guesses_order_images_by_their_losses(fashion, make_guesser, make_schedule):
    pool, targets = fashion
    network, schedule = make_guesser(), make_schedule(epochs=8, minibatch=32, shape="one_cycle", learning_rate=0.05)
    known = {"rows": np.arange(192), "targets": targets[:192]}
    fit(network, learning_loss.loss, pool, Training(schedule, stream(0, "fit")), HARDWARE, **known)
    losses = predict(network, classification.loss, pool, HARDWARE, known["rows"], known["targets"])
    guesses = predict(network, learning_loss.predicted, pool, HARDWARE, known["rows"])
    assert spearmanr(losses, guesses).statistic > 0.3


def test_network_that_guesses_answers_like_one_that_does_not(fashion, make_network, make_guesser, make_schedule):
    pool, targets = fashion
    answers = []
    for network, loss in ((make_network(), classification.loss), (make_guesser(), learning_loss.loss)):
        fit(network, loss, pool, Training(make_schedule(minibatch=64), stream(0, "fit")), HARDWARE, targets=targets)
        answers.append(predict(network, classification.outputs, pool, HARDWARE))
    np.testing.assert_array_equal(*answers)


def test_guesses_in_the_right_order_by_the_margin_cost_nothing():
    losses = torch.tensor([0.1, 0.2, 0.9, 0.5, 0.4])
    ranks = losses.argsort().argsort().float()
    assert learning_loss.disorder(ranks, losses).tolist() == [0, 0, 0, 0, 0]
    # Pairs (0, 4) and (1, 3) are two ranks apart; the middle image has no partner.
    assert learning_loss.disorder(-ranks, losses).tolist() == [3, 3, 0, 3, 3]


def test_equal_losses_ask_for_no_order():
    assert learning_loss.disorder(torch.tensor([0.0, 5.0]), torch.tensor([1.0, 1.0])).tolist() == [0, 0]


def test_weights_of_classes_count_as_they_do_without_guesses(make_guesser):
    network = make_guesser().eval()
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 1, 8, 8), np.uint8))
    weights = torch.arange(10.0)
    found = learning_loss.loss(network, images, torch.tensor([3]), weights)  # alone: no pair
    torch.testing.assert_close(found, classification.loss(network, images, torch.tensor([3]), weights))

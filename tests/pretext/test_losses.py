"""Losses other than those of the network that is handed on."""

import copy

import numpy as np
import pytest

from pt4al.pretext import PRETEXT_TASKS
from pt4al.pretext.losses import cross_fitted, mean_over_epochs
from pt4al.randomness import stream
from pt4al.training.engine import Training, fit

ROTATION = PRETEXT_TASKS["rotation"]


@pytest.fixture(scope="module")
def few(fashion, make_pool):
    """128 real images."""
    return make_pool(fashion.gather(np.arange(128)).numpy())


@pytest.fixture
def train(few, make_network, schedule, hardware):
    """What trains a rotation network, and notes what it was asked."""
    asked = []

    def call(rows=None, turn=0, each_epoch=None):
        network = make_network(ROTATION, seed=turn)
        training = Training(schedule, stream(turn, "fit"), each_epoch=each_epoch)
        curve = fit(network, ROTATION.loss, few, training, hardware, rows)
        asked.append((rows, network))
        return network, curve

    call.asked = asked
    return call


def test_each_image_is_scored_by_the_network_that_has_not_seen_it(few, train, hardware):
    losses = cross_fitted(ROTATION, train, few, hardware, stream(0, "half"))
    (first, one), (second, other) = train.asked
    assert sorted([*first, *second]) == list(range(128))
    assert len(first) == len(second) == 64
    np.testing.assert_array_equal(losses[second], ROTATION.score(one, few, hardware, second))
    np.testing.assert_array_equal(losses[first], ROTATION.score(other, few, hardware, first))


def test_halves_are_a_matter_of_their_generator(few, make_network, hardware):
    halves = []

    def untrained(rows, turn):
        halves.append(set(rows))
        return make_network(ROTATION), None

    for seed in (0, 0, 1):
        cross_fitted(ROTATION, untrained, few, hardware, stream(seed, "half"))
    halves = halves[::2]
    assert halves[0] == halves[1] != halves[2]


def test_mean_over_epochs_is_that_of_the_networks_at_their_ends(few, train, hardware):
    networks = []
    train(each_epoch=lambda network: networks.append(copy.deepcopy(network)))
    assert len(networks) == 2
    expected = np.mean([ROTATION.score(network, few, hardware) for network in networks], axis=0)
    np.testing.assert_allclose(mean_over_epochs(ROTATION, train, few, hardware), expected, rtol=1e-5)


def test_measuring_at_the_end_of_each_epoch_does_not_change_the_training(few, train, hardware):
    curves = [train(each_epoch=measure)[1] for measure in (None, lambda net: ROTATION.score(net, few, hardware))]
    assert curves[0].equals(curves[1])
    weights = [b"".join(t.numpy().tobytes() for t in network.state_dict().values()) for _, network in train.asked]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("epochs", [0.3, 1.5, 2])
def test_every_row_of_the_curve_has_been_measured(few, make_network, schedule, hardware, epochs):
    calls, network = [], make_network(ROTATION)
    schedule = schedule.model_copy(update={"epochs": epochs})
    curve = fit(network, ROTATION.loss, few, Training(schedule, stream(0, "fit"), each_epoch=calls.append), hardware)
    assert len(calls) == len(curve)

"""A schedule says how many steps are taken, and how fast."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("images", "changes", "steps"),
    [
        (160, {"epochs": 3}, 30),
        (161, {"epochs": 3}, 31),  # 30.2
        (160, {"epochs": 0.25}, 3),  # 2.5
        (10, {"epochs": 3}, 3),  # a minibatch is never larger than the training set
        (10, {"epochs": 3, "minimum_steps": 25}, 25),
        (160, {"epochs": 3, "minimum_steps": 25}, 30),
    ],
)
def test_steps_follow_epochs_minibatch_and_minimum(make_schedule, images, changes, steps):
    assert make_schedule(**changes).steps(images) == steps


@given(images=st.integers(1, 1000), minibatch=st.integers(1, 300), minimum=st.integers(0, 50), epochs=st.integers(1, 9))
def test_every_epoch_is_paid_for_and_not_a_step_more(make_schedule, images, minibatch, minimum, epochs):
    schedule = make_schedule(epochs=epochs, minibatch=minibatch, minimum_steps=minimum)
    steps, size = schedule.steps(images), min(minibatch, images)
    assert steps == minimum or (steps - 1) * size < epochs * images <= steps * size
    assert steps >= max(minimum, math.ceil(epochs * images / minibatch))


def test_constant_rate_stays(make_schedule):
    assert {make_schedule().factor(progress) for progress in np.linspace(0, 1, 50)} == {1.0}


def test_step_falls_to_a_tenth_after_four_fifths_as_pt4als_does(make_schedule):
    factor = make_schedule(shape="step").factor
    assert [factor(progress) for progress in (0, 0.5, 159.9 / 200)] == [1, 1, 1]
    assert [factor(progress) for progress in (160 / 200, 0.9, 1)] == [0.1, 0.1, 0.1]


def test_one_cycle_rises_for_a_fifth_and_falls_to_nothing(make_schedule):
    factor = make_schedule(shape="one_cycle").factor
    assert [factor(progress) for progress in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])


@pytest.mark.parametrize("shape", ["constant", "step", "one_cycle"])
@given(progress=st.floats(0, 1))
def test_rate_is_between_nothing_and_its_peak(make_schedule, shape, progress):
    assert 0 <= make_schedule(shape=shape).factor(progress) <= 1

"""Laws of every measure of uncertainty, and the values that their authors defined."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.selection.uncertainty import MEASURES

UNCERTAIN = sorted(MEASURES.keys() - {"random"})  # those that read the probabilities


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


SHAPES = st.tuples(st.integers(1, 20), st.integers(2, 12))
PROBABILITIES = arrays(np.float64, SHAPES, elements=st.floats(-800, 800)).map(softmax)


@pytest.mark.parametrize("measure", MEASURES)
@given(probabilities=PROBABILITIES)
def test_scores_are_finite_numbers_one_an_image(measure, probabilities):
    scores = MEASURES[measure](probabilities, generator())
    assert scores.shape == (len(probabilities),)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("measure", MEASURES)
@given(probabilities=PROBABILITIES)
def test_same_generator_gives_the_same_scores_and_the_probabilities_stay(measure, probabilities):
    before = probabilities.copy()
    first, again = (MEASURES[measure](probabilities, generator()) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(probabilities, before)


@pytest.mark.parametrize("measure", MEASURES)
@given(probabilities=PROBABILITIES, seed=st.integers(0, 99))
def test_names_of_the_classes_do_not_matter(measure, probabilities, seed):
    permuted = np.random.default_rng(seed).permuted(probabilities, axis=1)
    score = MEASURES[measure]
    np.testing.assert_allclose(score(permuted, generator()), score(probabilities, generator()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", UNCERTAIN)
@given(probabilities=PROBABILITIES)
def test_certain_image_comes_last_and_undecided_one_first(measure, probabilities):
    classes = probabilities.shape[1]
    certain, undecided = np.eye(1, classes), np.full((1, classes), 1 / classes)
    scores = MEASURES[measure](np.concatenate([certain, probabilities, undecided]), generator())
    assert scores[0] < scores[-1]
    assert (scores[0] <= scores + 1e-12).all()
    assert (scores <= scores[-1] + 1e-12).all()


@pytest.mark.parametrize("measure", UNCERTAIN)
@given(probabilities=PROBABILITIES)
def test_image_is_scored_on_its_own(measure, probabilities):
    together = MEASURES[measure](probabilities, generator())
    alone = [MEASURES[measure](row[None], generator())[0] for row in probabilities]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("least_confidence", 0.5),
        ("margin", 0.8),
        ("entropy", -0.5 * math.log(0.5) - 0.3 * math.log(0.3) - 0.2 * math.log(0.2)),
    ],
)
def test_value_is_the_published_definitions(measure, expected):
    assert MEASURES[measure](np.array([[0.3, 0.5, 0.2]]), generator())[0] == pytest.approx(expected)


def test_random_scores_follow_the_generator_alone():
    probabilities = softmax(np.zeros((50, 3)))
    scores = MEASURES["random"](probabilities, generator())
    assert len(set(scores)) == 50
    assert not np.array_equal(scores, MEASURES["random"](probabilities, np.random.default_rng(1)))

"""Laws of every measure of uncertainty, and the values that their authors defined."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pt4al.selection import uncertainty
from pt4al.selection.uncertainty import MEASURES, RANDOM, bald, entropy, random_scores

SHAPES = st.tuples(st.integers(1, 20), st.integers(2, 12))
PIXELS = st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(1, 4), st.integers(1, 4))


def probabilities(shapes: st.SearchStrategy) -> st.SearchStrategy:
    logits = arrays(np.float64, shapes, elements=st.floats(-800, 800))
    return logits.map(lambda drawn: torch.from_numpy(drawn).softmax(1))


def close(first: torch.Tensor, second: torch.Tensor) -> None:
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(SHAPES))
def test_scores_are_finite_numbers_one_an_image(measure, likely):
    scores = MEASURES[measure](likely)
    assert scores.shape == (len(likely),)
    assert scores.isfinite().all()


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(PIXELS))
def test_pixels_are_scored_as_images_are(measure, likely):
    scores = MEASURES[measure](likely)
    assert scores.shape == (len(likely), *likely.shape[2:])
    close(scores.flatten(), MEASURES[measure](likely.movedim(1, -1).flatten(0, -2)))


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(SHAPES))
def test_same_probabilities_give_the_same_scores_and_stay(measure, likely):
    before = likely.clone()
    assert torch.equal(MEASURES[measure](likely), MEASURES[measure](likely))
    assert torch.equal(likely, before)


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(SHAPES), seed=st.integers(0, 99))
def test_names_of_the_classes_do_not_matter(measure, likely, seed):
    permuted = torch.from_numpy(np.random.default_rng(seed).permuted(likely.numpy(), axis=1))
    close(MEASURES[measure](permuted), MEASURES[measure](likely))


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(SHAPES))
def test_certain_image_comes_last_and_undecided_one_first(measure, likely):
    classes = likely.shape[1]
    certain = torch.eye(1, classes, dtype=torch.float64)
    undecided = torch.full((1, classes), 1 / classes, dtype=torch.float64)
    scores = MEASURES[measure](torch.cat([certain, likely, undecided]))
    assert scores[0] < scores[-1]
    assert (scores[0] <= scores + 1e-12).all()
    assert (scores <= scores[-1] + 1e-12).all()


@pytest.mark.parametrize("measure", MEASURES)
@given(likely=probabilities(SHAPES))
def test_image_is_scored_on_its_own(measure, likely):
    close(MEASURES[measure](likely), torch.cat([MEASURES[measure](row[None]) for row in likely]))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("least_confidence", 0.5),
        ("margin", 0.8),
        ("entropy", -0.5 * math.log(0.5) - 0.3 * math.log(0.3) - 0.2 * math.log(0.2)),
    ],
)
def test_value_is_the_published_definitions(measure, expected):
    assert float(MEASURES[measure](torch.tensor([[0.3, 0.5, 0.2]]))[0]) == pytest.approx(expected)


def test_random_is_no_function_of_the_probabilities():
    assert RANDOM not in MEASURES


PASSES = st.tuples(st.integers(1, 5), st.integers(1, 10), st.integers(2, 6))


def answers(shapes: st.SearchStrategy) -> st.SearchStrategy:
    logits = arrays(np.float64, shapes, elements=st.floats(-800, 800))
    return logits.map(lambda drawn: torch.from_numpy(drawn).softmax(2))


@given(likely=answers(PASSES))
def test_bald_is_the_mean_divergence_of_the_answers_from_their_mean(likely):
    mean = likely.mean(0)
    divergence = torch.special.xlogy(likely, likely / mean.clamp(min=1e-300)).sum(2).mean(0)
    torch.testing.assert_close(bald(likely), divergence, rtol=1e-6, atol=1e-9)


@given(likely=answers(PASSES))
def test_bald_is_at_most_entropy_and_nothing_if_all_answers_agree(likely):
    assert (bald(likely) <= entropy(likely.mean(0)) + 1e-9).all()
    assert (bald(likely[:1].expand_as(likely)) < 1e-9).all()


def test_bald_of_sure_answers_that_contradict_each_other_is_all_of_the_entropy():
    assert float(bald(torch.eye(2)[:, None])[0]) == pytest.approx(math.log(2))


def test_bald_of_pixels_is_that_of_images():
    likely = torch.linspace(0, 9, 240, dtype=torch.float64).sin().view(3, 4, 5, 2, 2).softmax(2)
    assert bald(likely).shape == (4, 2, 2)
    close(bald(likely)[:, 1, 0], bald(likely[..., 1, 0]))


@given(images=st.integers(1, 60), some=st.integers(1, 20), data=st.data())
def test_a_random_score_is_the_images_own_however_many_are_drawn_at_once(images, some, data):
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, images - 1)))), np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncertainty, "DRAWN", some)
        scores = random_scores(rows, images, np.random.default_rng(5))
    assert scores.tobytes() == np.random.default_rng(5).random(images)[rows].tobytes()

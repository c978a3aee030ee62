"""Groups of images that a model takes for the same class: the surest, none twice, and nobody's second-best first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.grouping import next_best, surest_group

LIKELY = [["cat", 0.6], ["dog", 0.3], ["cow", 0.1]]


def test_without_what_a_person_has_excluded_the_next_class_is_as_sure_as_it_is_among_the_rest():
    assert next_best(LIKELY) == ("cat", 0.6)
    assert next_best(LIKELY, {"cat"}) == ("dog", pytest.approx(0.75))
    assert next_best(LIKELY, {"cat", "cow"}) == ("dog", pytest.approx(1.0))
    assert next_best(LIKELY, {"cat", "dog", "cow"}) is None
    assert next_best([]) is None


def test_probabilities_that_are_rounded_up_are_no_more_than_sure():
    assert next_best([["cat", 1.0], ["dog", 0.0001]], {"cat"}) == ("dog", 1.0)


def test_a_single_image_is_no_group():
    assert surest_group({"a": ("cat", 0.9), "b": ("dog", 0.9)}, 5) is None


def test_what_is_left_of_a_sure_class_comes_after_full_groups():
    guesses = {"a": ("cat", 0.99), "b": ("cat", 0.99)} | {f"d{n}": ("dog", 0.5) for n in range(3)}
    assert surest_group(guesses, 3).label == "dog"
    assert surest_group(guesses, 5).label == "cat"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=40), st.integers(2, 9))
def test_groups_one_after_the_other_hold_each_image_once_with_the_surest_of_its_class_first(guessed, size):
    left = {f"i{number}": guess for number, guess in enumerate(guessed)}
    taken = []
    while (group := surest_group(left, size)) is not None:
        assert 2 <= len(group.images) <= size
        assert group.sure == sorted(group.sure, reverse=True)
        assert {left[image][0] for image in group.images} == {group.label}
        rest = [sure for image, (label, sure) in left.items() if label == group.label and image not in group.images]
        assert all(sure <= group.sure[-1] for sure in rest)
        taken += group.images
        left = {image: guess for image, guess in left.items() if image not in group.images}
    assert len(taken) == len(set(taken))
    labels = [label for label, _ in left.values()]
    assert len(labels) == len(set(labels))  # at most one of a class is left

"""A label set only grows, and refuses a second label for an image."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.labels.label_set import COLUMNS, check, drawn_at_random, empty, extend

QUERIES = st.lists(st.lists(st.text(max_size=3), max_size=6), min_size=1, max_size=5)


def answers(ids: list[str], label: str = "cat") -> pd.DataFrame:
    return pd.DataFrame({"id": pd.Series(ids, dtype="str"), "label": pd.Series([label] * len(ids), dtype="str")})


def test_first_label_set_is_empty_and_has_its_columns():
    assert len(empty()) == 0
    assert empty().dtypes.astype(str).to_dict() == COLUMNS


@given(queries=QUERIES)
def test_label_set_only_grows_and_no_id_is_labelled_twice(queries):
    label_set = empty()
    for cycle, ids in enumerate(queries):
        if len(set(ids)) < len(ids) or set(ids) & set(label_set["id"]):
            with pytest.raises(InputError):
                extend(label_set, answers(ids), cycle, "margin")
            continue
        grown = extend(label_set, answers(ids), cycle, "margin")
        pd.testing.assert_frame_equal(grown.head(len(label_set)), label_set)
        assert list(grown["id"].tail(len(ids))) == ids or not ids
        assert len(grown) == len(label_set) + len(ids)
        label_set = grown
    assert label_set["id"].is_unique
    assert label_set.dtypes.astype(str).to_dict() == COLUMNS


def test_each_row_says_when_and_why_it_was_chosen():
    label_set = extend(empty(), answers(["a"]), 0, "even_intervals")
    label_set = extend(label_set, answers(["b"], "dog"), 1, "margin")
    assert label_set.to_dict("list") == {
        "id": ["a", "b"],
        "label": ["cat", "dog"],
        "cycle": [0, 1],
        "why": ["even_intervals", "margin"],
    }


def test_extending_leaves_the_given_set_as_it_was():
    before = extend(empty(), answers(["a"]), 0, "random")
    copy = before.copy()
    extend(before, answers(["b"]), 1, "random")
    pd.testing.assert_frame_equal(before, copy)


def test_second_label_is_refused_with_id_cycle_and_number():
    label_set = extend(empty(), answers(["a", "b", "c"]), 0, "random")
    with pytest.raises(InputError, match=r"cycle 1: id 'b' would be labelled twice \(2 such ids\)"):
        extend(label_set, answers(["d", "b", "c"]), 1, "margin")


def test_two_answers_for_one_id_are_refused():
    with pytest.raises(InputError, match="cycle 0: id 'a' would be labelled twice"):
        extend(empty(), answers(["a", "b", "a"]), 0, "random")


def test_label_that_is_no_class_is_named_with_its_id():
    label_set = extend(empty(), answers(["a"], "catt"), 0, "random")
    with pytest.raises(InputError, match="id 'a' has label 'catt', which is none of the 2 classes"):
        check(label_set, ["cat", "dog"])


def test_labels_that_are_classes_pass():
    check(extend(empty(), answers(["a", "b"]), 0, "random"), ["cat", "dog"])


def test_random_labels_are_the_control_slices_and_a_first_query_that_was_drawn_at_random():
    label_set = extend(empty(), answers(["known"]), -1, "known")
    label_set = extend(label_set, answers(["a", "b"]), 0, np.array(["random", "control"]))
    label_set = extend(label_set, answers(["c", "d", "e"]), 1, np.array(["margin", "control", "random"]))
    assert list(label_set["id"][drawn_at_random(label_set, first_query=True)]) == ["a", "b", "d"]
    assert list(label_set["id"][drawn_at_random(label_set, first_query=False)]) == ["b", "d"]
    assert drawn_at_random(empty(), first_query=True).shape == (0,)

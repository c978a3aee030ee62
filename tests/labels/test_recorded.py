"""The recorded oracle answers what it was asked, in that order, or says what it cannot answer."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.errors import InputError
from pt4al.labels.recorded import recorded_answers

LABELS = {f"image {row}": "cat" if row % 3 else "dog" for row in range(20)}
TABLE = pd.DataFrame({"id": list(LABELS), "label": list(LABELS.values())})


@given(ids=st.lists(st.sampled_from(list(LABELS)), unique=True))
def test_answers_are_the_recorded_labels_in_the_order_asked(ids):
    answers = recorded_answers(TABLE, pd.Series(ids, dtype="str"))
    assert answers.to_dict("list") == {"id": ids, "label": [LABELS[name] for name in ids]}


def test_answers_do_not_depend_on_the_index_of_the_query():
    asked = pd.Series(["image 3", "image 1"], index=[7, 3])
    assert list(recorded_answers(TABLE, asked)["label"]) == ["dog", "cat"]


def test_image_without_a_recorded_label_is_named_and_counted():
    with pytest.raises(InputError, match="2 of 3 queried images have no recorded label, the first is 'stranger'"):
        recorded_answers(TABLE, pd.Series(["image 1", "stranger", "another"]))

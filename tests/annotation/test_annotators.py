"""Annotators beside each other: who agrees with the others, and where most of them don't settle it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.annotators import compare_annotators, find_disputed, labels_in_common
from pt4al.annotation.log import Answer, AnswerLog
from support.people import log_of

MAJORITY = Policy(annotators=3, disagreement="majority")


def rows_of(folder: Path, **said: str) -> pd.DataFrame:
    return compare_annotators(labels_in_common(log_of(folder, **said).read())).set_index("annotator")


def test_each_annotator_is_compared_with_the_majority_of_the_others_who_agreed_least_comes_first(tmp_path: Path):
    rows = rows_of(tmp_path, ada="ab" * 6, bob="ab" * 6, cy="ab" * 4 + "bbbb")
    assert list(rows.index) == ["cy", "ada", "bob"]
    assert rows.loc["cy", "agreed"] == pytest.approx(10 / 12)
    assert rows.loc["cy", "often"] == ("b", "a", 2)
    assert rows.loc["cy", "kappa"] == pytest.approx(2 / 3)
    # Where cy differs, ada's others tie: those images say nothing of ada.
    assert (rows.loc["ada", "images"], rows.loc["ada", "agreed"], rows.loc["ada", "kappa"]) == (10, 1, 1)
    assert rows.loc["ada", "often"] is None
    assert rows.loc["cy", "low"] < rows.loc["cy", "agreed"] < rows.loc["cy", "high"]


def test_few_images_or_a_single_class_have_no_kappa(tmp_path: Path):
    assert np.isnan(rows_of(tmp_path / "few", ada="abab", bob="abaa")["kappa"]).all()
    assert np.isnan(rows_of(tmp_path / "one", ada="a" * 12, bob="a" * 12)["kappa"]).all()


def test_a_person_whose_others_always_tie_is_left_out(tmp_path: Path):
    assert list(rows_of(tmp_path, ada="aa", bob="ab", cy="ba").index) == ["bob", "cy"]


def test_disputed_images_say_who_called_them_what_which_label_is_taken_and_where_it_is_a_tie(tmp_path: Path):
    history = log_of(tmp_path, ada="aaab", bob="abba", cy="aacb").read()
    disputed = find_disputed(labels_in_common(history), history, MAJORITY).set_index("id")
    assert list(disputed.index) == ["2", "1", "3"]
    assert disputed["most"].isna().to_dict() == {"2": True, "1": False, "3": False}
    assert disputed["taken"].isna().to_dict() == {"2": True, "1": False, "3": False}
    assert disputed.loc["1", "votes"] == [("a", ["ada", "cy"]), ("b", ["bob"])]
    assert disputed.loc["3", ["most", "taken"]].to_list() == ["b", "b"]


def test_a_review_settles_a_tie_and_is_no_vote(tmp_path: Path):
    log = log_of(tmp_path, ada="a", bob="b")
    log.add([Answer(id="0", label="b", annotator="eve", source="page", review=True)])
    history = log.read()
    row = find_disputed(labels_in_common(history), history, MAJORITY).iloc[0]
    assert row["votes"] == [("a", ["ada"]), ("b", ["bob"])]
    assert pd.isna(row["most"])
    assert row["taken"] == "b"


def test_a_class_may_be_called_tie(tmp_path: Path):
    log = AnswerLog(tmp_path)
    for who in ("ada", "bob", "cy"):
        for number in range(12):
            label = "bow" if who == "cy" and number == 0 else "tie"
            log.add([Answer(id=f"{number}", label=label, annotator=who, source="page")])
    shared = labels_in_common(log.read())
    assert compare_annotators(shared)["images"].to_list() == [12, 11, 11]
    (row,) = find_disputed(shared, log.read(), MAJORITY).itertuples()
    assert (row.most, row.taken) == ("tie", "tie")


def test_where_the_newest_answer_counts_it_may_not_be_what_most_said(tmp_path: Path):
    history = log_of(tmp_path, ada="a", bob="a", cy="b").read()
    row = find_disputed(labels_in_common(history), history, Policy(annotators=3)).iloc[0]
    assert (row["most"], row["taken"]) == ("a", "b")


def test_nobody_and_one_person_have_nothing_in_common(tmp_path: Path):
    assert labels_in_common(AnswerLog(tmp_path / "none").read()).empty
    shared = labels_in_common(log_of(tmp_path / "one", ada="ab").read())
    assert compare_annotators(shared).empty
    assert find_disputed(shared, AnswerLog(tmp_path / "none").read(), Policy()).empty

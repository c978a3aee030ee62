"""From answers to labels: the newest, most people's, or everybody's; reviews settle."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.aggregation import LABELLED, REVIEW, SKIPPED, WAITING, Policy, aggregate
from pt4al.annotation.log import Answer, AnswerLog

# What ada, bob ... say one after the other of one image; `!` before a label: a review.
CASES = [
    (Policy(), ["ada cat"], (LABELLED, "cat")),
    (Policy(), ["ada cat", "bob dog"], (LABELLED, "dog")),
    (Policy(), ["ada -"], (SKIPPED, None)),
    (Policy(), ["ada -", "ada cat"], (LABELLED, "cat")),
    (Policy(annotators=2), ["ada cat", "ada dog"], (WAITING, None)),
    (Policy(2, "majority"), ["ada cat", "bob cat", "eve dog"], (LABELLED, "cat")),
    (Policy(2, "majority"), ["ada cat", "bob dog"], (REVIEW, None)),
    (Policy(2, "majority"), ["ada cat", "bob dog", "bob cat"], (LABELLED, "cat")),
    (Policy(3, "majority"), ["ada -", "bob -", "eve cat"], (SKIPPED, None)),
    (Policy(2, "consensus"), ["ada cat", "bob cat"], (LABELLED, "cat")),
    (Policy(2, "consensus"), ["ada cat", "bob cat", "eve dog"], (REVIEW, None)),
    (Policy(2, "consensus"), ["ada cat", "bob dog", "eve !dog"], (LABELLED, "dog")),
    (Policy(2, "consensus"), ["eve !dog", "ada cat"], (LABELLED, "dog")),
]


def history(tmp_path, *said: str) -> pd.DataFrame:
    log = AnswerLog(tmp_path)
    for one in said:
        who, what = one.split()
        label = None if what == "-" else what.removeprefix("!")
        log.add([Answer(id="a", label=label, annotator=who, source="page", review=what.startswith("!"))])
    return log.read()


@pytest.mark.parametrize("policy, said, expected", CASES)
def test_an_image_is_what_its_policy_makes_of_the_answers(tmp_path, policy, said, expected) -> None:
    (row,) = aggregate(history(tmp_path, *said), policy).itertuples()
    assert (row.state, None if pd.isna(row.label) else row.label) == expected


def test_nothing_answered_is_an_empty_table_of_the_same_kind(tmp_path) -> None:
    empty = aggregate(AnswerLog(tmp_path).read(), Policy())
    assert list(empty.columns) == ["id", "state", "label", "answers"]
    assert empty.empty


@given(
    st.permutations(["ada cat", "bob cat", "eve cat", "max dog", "zoe dog"]),
    st.sampled_from([Policy(2, "majority"), Policy(2, "consensus")]),
)
def test_votes_do_not_depend_on_who_came_first(tmp_path_factory, said, policy) -> None:
    (row,) = aggregate(history(tmp_path_factory.mktemp("log"), *said), policy).itertuples()
    assert row.state == (LABELLED if policy.disagreement == "majority" else REVIEW)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["ada", "bob"]), st.sampled_from(["cat", "dog", "-"])),
        max_size=8,
    )
)
def test_each_image_is_settled_by_its_own_answers_and_once(tmp_path_factory, said) -> None:
    log = AnswerLog(tmp_path_factory.mktemp("log"))
    log.add(
        Answer(id=one, label=None if what == "-" else what, annotator=who, source="page") for one, who, what in said
    )
    policy = Policy(2, "consensus")
    settled = aggregate(log.read(), policy)
    assert sorted(settled["id"]) == sorted({one for one, _, _ in said})
    for row in settled.itertuples():
        newest = {who: what for one, who, what in said if one == row.id}
        assert row.answers == len(newest)
        agreed = len(newest) == 2 and len(set(newest.values())) == 1
        assert (row.state in (LABELLED, SKIPPED)) == agreed
        assert pd.isna(row.label) or {row.label} == set(newest.values())
    alone = log.read()[lambda table: table["id"] == "a"]
    assert aggregate(alone, policy).equals(settled[settled["id"] == "a"].reset_index(drop=True))

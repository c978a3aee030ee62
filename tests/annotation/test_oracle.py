"""What people were asked so far, and how many labels they gave, those given once more among them."""

from pathlib import Path

import pandas as pd
import pytest

from pt4al.annotation.aggregation import Policy
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.oracle import HumanOracle, labels_given, none_asked
from pt4al.labels.label_set import correct, empty, extend


def say(log: AnswerLog, **labels: str | None) -> None:
    log.add(Answer(id=image, label=label, annotator="ada", source="page") for image, label in labels.items())


@pytest.fixture
def log(tmp_path: Path) -> AnswerLog:
    """Ada has called a, b and c a cat."""
    log = AnswerLog(tmp_path)
    say(log, a="cat", b="cat", c="cat")
    return log


@pytest.fixture
def first(log: AnswerLog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The label set after the first query, and what was asked."""
    query = pd.DataFrame({"id": list("abc"), "role": "query"})
    answers, asked = HumanOracle(log, Policy()).label(query, empty(), none_asked(), 0)
    assert labels_given(extend(empty(), answers, 0, "random"), asked) == 3
    return extend(empty(), answers, 0, "random"), asked


AGAIN = pd.DataFrame({"id": list("abd"), "role": ["relabel", "relabel", "query"], "answers_before": [1, 1, 0]})


def states(asked: pd.DataFrame) -> list[str | None]:
    again = asked["state"][asked["role"] == "relabel"]
    return [None if pd.isna(state) else state for state in again]


def test_a_label_that_is_given_once_more_is_counted_and_one_that_was_only_asked_for_is_not(log, first):
    label_set, asked = first
    say(log, a="cat", d="dog")  # the same as before: no correction, but given
    answers, asked = HumanOracle(log, Policy()).label(AGAIN, label_set, asked, 1, share=0.5)
    assert list(answers["id"]) == ["d"]
    assert states(asked) == ["labelled", None]
    assert labels_given(extend(label_set, answers, 1, "margin"), asked) == 4 + 1


def test_a_late_second_answer_counts_from_the_next_cycle_on_and_a_second_skip_never(log, first):
    label_set, asked = first
    say(log, d="dog")
    answers, asked = HumanOracle(log, Policy()).label(AGAIN, label_set, asked, 1, share=0.3)
    label_set = extend(label_set, answers, 1, "margin")
    assert labels_given(label_set, asked) == 4
    say(log, a=None, b="dog", e="cat")
    query = pd.DataFrame({"id": ["e"], "role": "query"})
    answers, asked = HumanOracle(log, Policy()).label(query, label_set, asked, 2)
    corrections = answers[answers["role"] == "correction"]
    assert list(corrections["id"]) == ["b"]
    assert states(asked) == ["skipped", "labelled"]
    new = answers[answers["role"] != "correction"]
    assert labels_given(extend(correct(label_set, corrections), new, 2, "margin"), asked) == 5 + 1


def test_what_older_versions_noted_is_read(log, first):
    label_set, asked = first
    say(log, d="dog", a="cat", b="cat")
    older = asked.drop(columns="answers_before")
    _, now = HumanOracle(log, Policy()).label(AGAIN, label_set, older, 1)
    assert states(now) == ["labelled", "labelled"]
    assert now["answers_before"].dtype == "int64"


def test_recorded_labels_are_given_once(first):
    assert labels_given(first[0], None) == 3

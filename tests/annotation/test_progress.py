"""What is asked: the query, and the next best in place of what was skipped; when there is enough to go on."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.aggregation import LABELLED, REVIEW, SKIPPED, WAITING, Policy
from pt4al.annotation.log import Answer, AnswerLog
from pt4al.annotation.progress import enough, measure_progress, progress_of

QUERY = pd.DataFrame({"id": list("abcdefg"), "role": ["query"] * 3 + ["control"] + ["reserve"] * 3})
STATES = st.sampled_from([None, LABELLED, SKIPPED, REVIEW, WAITING])


def settled(**states: str | None) -> pd.DataFrame:
    rows = [(image, state, "cat" if state == LABELLED else None) for image, state in states.items() if state]
    return pd.DataFrame(rows, columns=["id", "state", "label"]).astype("str")


@given(st.lists(STATES, min_size=7, max_size=7))
def test_each_skip_brings_in_one_of_the_reserve_as_long_as_there_is_one(states: list) -> None:
    said = settled(**dict(zip("abcdefg", states, strict=True)))
    progress = measure_progress(QUERY, said, Policy())
    asked = list(progress.images["id"])
    assert asked[:4] == list("abcd")
    spare = asked[4:]
    assert spare == list("efg")[: len(spare)]
    skipped = said[said["state"] == SKIPPED]["id"]
    wanted = skipped.isin(["a", "b", "c", *spare]).sum()
    assert len(spare) == min(3, wanted)
    assert list(measure_progress(QUERY, said, Policy(skipped="leave_out")).images["id"]) == list("abcd")


def test_a_skipped_control_image_is_not_replaced() -> None:
    assert list(measure_progress(QUERY, settled(d=SKIPPED), Policy()).images["id"]) == list("abcd")


def test_what_is_replaced_is_a_skip_whose_place_another_takes() -> None:
    said = settled(a=SKIPPED, b=LABELLED, d=SKIPPED, e=SKIPPED)
    assert measure_progress(QUERY, said, Policy()).replaced == 2
    assert measure_progress(QUERY, said, Policy(skipped="leave_out")).replaced == 0
    assert measure_progress(QUERY, settled(a=SKIPPED, e=SKIPPED, f=SKIPPED, g=SKIPPED), Policy()).replaced == 3


def test_progress_is_told_in_words() -> None:
    progress = measure_progress(QUERY, settled(a=LABELLED, b=SKIPPED, c=REVIEW), Policy())
    assert str(progress) == "2 of 5 answers, 1 skipped, 1 to review"
    assert list(progress.open["id"]) == ["d", "e"]
    assert not progress.finished


@pytest.mark.parametrize(
    ("share", "hours", "expected"),
    [(1, None, False), (0.75, None, True), (0.8, None, False), (0.5, -1, True), (0.5, 1, False)],
)
def test_a_part_is_enough_from_its_share_and_time_on(share: float, hours: int | None, expected: bool) -> None:
    progress = measure_progress(QUERY, settled(a=LABELLED, b=LABELLED, c=LABELLED), Policy())
    after = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    assert enough(progress, share, after) == expected


def test_skips_alone_are_never_enough_for_a_part() -> None:
    progress = measure_progress(QUERY.head(3), settled(a=SKIPPED, b=SKIPPED), Policy())
    assert not enough(progress, 0.1, None)


def test_an_older_answer_does_not_answer_a_question_that_is_asked_again(tmp_path) -> None:
    log = AnswerLog(tmp_path)
    log.add([Answer(id=image, label="cat", annotator="ada", source="page") for image in "ab"])
    query = pd.DataFrame({"id": ["a", "c"], "role": ["relabel", "query"], "answers_before": [1, 0]})
    assert list(progress_of(query, log.read(), Policy()).open["id"]) == ["a", "c"]
    log.add([Answer(id=image, label="cat", annotator="ada", source="page") for image in "ac"])
    assert progress_of(query, log.read(), Policy()).finished


def test_whoever_skips_a_question_that_is_asked_again_brings_in_no_other_image(tmp_path) -> None:
    log = AnswerLog(tmp_path)
    query = pd.DataFrame({"id": ["a", "b"], "role": ["relabel", "reserve"], "answers_before": 0})
    log.add([Answer(id="a", label=None, annotator="ada", source="page")])
    progress = progress_of(query, log.read(), Policy())
    assert list(progress.images["id"]) == ["a"]
    assert progress.finished

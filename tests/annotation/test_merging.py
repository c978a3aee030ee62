"""Labels of several runs brought together."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pt4al.annotation.merging import COLUMNS, SHOWN, merge


def table(run: str, *rows: tuple[str, str, str]) -> pd.DataFrame:
    labels = [(image, label, "ada", when, run, 0, "margin") for image, label, when in rows]
    return pd.DataFrame(labels, columns=COLUMNS)


def test_the_newest_answer_counts_with_who_gave_it_and_which_query_asked() -> None:
    old = table("old", ("a", "cat", "2026-01-02T00:00:00+00:00"), ("b", "cat", "2026-01-01T00:00:00+00:00"))
    new = table("new", ("a", "dog", "2026-01-01T00:00:00+00:00"), ("b", "dog", "2026-01-02T00:00:00Z"))
    labels = merge([old, new]).labels
    assert list(labels.columns) == COLUMNS
    assert dict(zip(labels["id"], labels["label"], strict=True)) == {"a": "cat", "b": "dog"}
    assert list(labels["run"]) == ["old", "new"]


def test_times_of_other_zones_are_compared_as_moments() -> None:
    first = table("first", ("a", "cat", "2026-01-01T10:00:00+00:00"))
    second = table("second", ("a", "dog", "2026-01-01T11:00:00+02:00"))
    assert merge([first, second]).labels["label"].item() == "cat"


def test_a_label_without_a_time_is_older_than_any_answer() -> None:
    answered = table("people", ("a", "cat", "2026-01-01T10:00:00+00:00"))
    recorded = table("recorded", ("a", "dog", ""))
    assert merge([answered, recorded]).labels["label"].item() == "cat"


def test_contradictions_are_told_one_by_one_and_then_counted() -> None:
    ids = [f"{number:02d}" for number in range(SHOWN + 3)]
    first = table("first", *((image, "cat", "2026-01-01T00:00:00+00:00") for image in ids), ("same", "cat", ""))
    second = table("second", *((image, "dog", "2026-01-02T00:00:00+00:00") for image in ids), ("same", "cat", ""))
    merged = merge([first, second])
    assert list(merged.contradictions["id"]) == ids
    told = merged.sentences()
    assert told[0] == "00: 'cat' in run first by ada on 2026-01-01, then 'dog' in run second by ada on 2026-01-02"
    assert len(told) == SHOWN + 1
    assert told[-1] == "... and 3 more"


ANSWERS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["cat", "dog"])), unique_by=lambda one: one[0])


@given(st.lists(ANSWERS, min_size=1, max_size=4))
def test_each_image_that_any_run_has_comes_once_with_a_label_that_one_gave(runs: list) -> None:
    days = [
        table(f"run{day}", *((image, label, f"2026-01-0{day + 1}T00:00:00+00:00") for image, label in answers))
        for day, answers in enumerate(runs)
    ]
    merged = merge(days)
    newest: dict[str, str] = {}
    for answers in runs:
        newest |= dict(answers)
    assert dict(zip(merged.labels["id"], merged.labels["label"], strict=True)) == newest
    said = {image: {dict(answers).get(image) for answers in runs} - {None} for image in newest}
    assert set(merged.contradictions["id"]) == {image for image, labels in said.items() if len(labels) > 1}


def test_runs_without_a_label_make_an_empty_table() -> None:
    merged = merge([pd.DataFrame(columns=COLUMNS, dtype="str")])
    assert merged.labels.empty and merged.contradictions.empty

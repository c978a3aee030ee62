"""The labels of any run, with where each comes from and what it stands for."""

from pathlib import Path

import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.run_labels import RunLabels, find_labels
from support.labelled_runs import make_peoples_run, make_run, save, say

ROWS = [("0.png", "cat", 0, "random"), ("1.png", "dog", 0, "random"), ("2.png", "dog", 1, "margin")]


def of(root: Path, name: str = "mine") -> RunLabels:
    return RunLabels(Runs(root)[name])


def weights(root: Path) -> dict[str, float]:
    labels = of(root).labelled().labels
    return dict(zip(labels["id"], labels["weight"], strict=True))


def test_a_recorded_run_has_labels_and_nobody_who_gave_them(tmp_path: Path) -> None:
    make_run(tmp_path, "mine", ROWS)
    table = of(tmp_path).table
    assert table[["id", "label", "cycle", "why"]].to_numpy().tolist() == [list(row) for row in ROWS]
    assert set(table["annotators"]) == set(table["answered"]) == {""}
    assert weights(tmp_path) == {"0.png": 5, "1.png": 5, "2.png": 0}


def test_peoples_labels_say_who_gave_them_and_when(tmp_path: Path) -> None:
    record = make_peoples_run(tmp_path, "mine", ROWS)
    say(record, {"1.png": "dog", "2.png": "cat"}, 3, "bob")
    table = of(tmp_path).table.set_index("id")
    assert list(table["annotators"]) == ["ada", "ada, bob", "bob"]
    assert list(table["answered"].str[:10]) == ["2026-01-01", "2026-01-03", "2026-01-03"]
    assert list(table["label"]) == ["cat", "dog", "cat"]


def test_answers_that_no_cycle_has_taken_yet_count_with_the_query_that_asked(tmp_path: Path) -> None:
    record = make_peoples_run(tmp_path, "mine", ROWS[:2])
    query = pd.DataFrame({"id": ["5.png", "6.png", "7.png"], "role": ["query", "control", "query"]})
    save(record / "cycle_1/query.parquet", query)
    say(record, {"5.png": "cat", "6.png": "dog"})
    rows = of(tmp_path).table.set_index("id").loc[["5.png", "6.png"], ["cycle", "why"]]
    assert rows.to_numpy().tolist() == [[1, "margin"], [1, "control"]]


def test_a_random_query_that_is_answered_in_part_is_no_sample_yet(tmp_path: Path) -> None:
    record = make_peoples_run(tmp_path, "mine", [])
    query = pd.DataFrame({"id": ["0.png", "1.png", "2.png", "3.png"], "role": ["query", "query", "control", "reserve"]})
    save(record / "cycle_0/query.parquet", query)
    say(record, {"0.png": "cat", "2.png": "cat"})
    assert weights(tmp_path) == {"0.png": 0, "2.png": 10}
    # What stands in for a skipped image is the next one in the pool's order.
    say(record, {"1.png": None, "3.png": "dog"})
    assert weights(tmp_path) == {"0.png": 5, "2.png": 5, "3.png": 0}


@pytest.mark.parametrize(
    ("settings", "drawn"),
    [
        ({}, ["0.png", "1.png"]),
        ({"query.measure": "random"}, ["0.png", "1.png", "2.png"]),
        ({"query.measure": "random", "query.balance": True}, ["0.png", "1.png"]),
        ({"query.measure": "random", "query.start": "herding"}, []),
        ({"query.scope": "batch"}, []),
    ],
)
def test_only_queries_drawn_from_the_whole_pool_before_any_choice_are_a_sample(
    tmp_path: Path, settings: dict, drawn: list[str]
) -> None:
    make_run(tmp_path, "mine", ROWS, **settings)
    assert list(of(tmp_path).drawn) == drawn


def test_known_labels_are_part_of_it_and_say_which_run_they_came_from(tmp_path: Path) -> None:
    record = make_peoples_run(tmp_path, "mine", [("9.png", "cat", -1, "known"), *ROWS])
    known = pd.DataFrame({"id": ["9.png"], "annotators": ["eve"], "answered": ["2025-01-01T00:00:00Z"]})
    save(record / "known_labels.parquet", known)
    row = of(tmp_path).table.set_index("id").loc["9.png"]
    assert (row["why"], row["cycle"], row["annotators"], row["answered"][:4]) == ("known", -1, "eve", "2025")
    assert weights(tmp_path)["9.png"] == 1


def test_the_newest_of_peoples_runs_is_meant_where_none_is_named(tmp_path: Path) -> None:
    make_peoples_run(tmp_path, "peoples", ROWS)
    make_run(tmp_path, "comparison/cell", ROWS)
    assert find_labels(tmp_path).folder.name == "peoples"
    assert find_labels(tmp_path, "comparison/cell").folder.name == "comparison/cell"
    with pytest.raises(InputError, match=r"there is no run 'people' .*did you mean 'peoples'"):
        find_labels(tmp_path, "people")
    with pytest.raises(InputError, match="there is no run yet"):
        find_labels(tmp_path / "05_model_input")

"""The verdict on a reproduction, on tables that were made up."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.project.runs import machine
from pt4al.project.runs.reproduction import Outcome, compare, made, publish, published

CURVE = pd.DataFrame({"labels": [2, 4], "accuracy": [0.5, 0.625]})


def outcome(*queries: list[str], accuracies: tuple[float, ...] = (0.5, 0.625), machine: str = "one") -> Outcome:
    rows = [(cycle, name) for cycle, names in enumerate(queries) for name in names]
    curve = CURVE.assign(accuracy=accuracies)
    return Outcome(pd.DataFrame(rows, columns=["cycle", "id"]), curve, [machine])


THEN = outcome(["a", "b"], ["c", "d"])


def test_the_same_run_is_the_same() -> None:
    verdict = compare(THEN, outcome(["a", "b"], ["c", "d"], machine="another"), noise=0.5)
    assert verdict.same
    assert verdict.lines == ["the same queries in 2 of 2 cycles; accuracies equal"]


def test_accuracies_within_the_noise_are_said_and_pass() -> None:
    verdict = compare(THEN, outcome(["a", "b"], ["c", "d"], accuracies=(0.5, 0.628), machine="another"), noise=0.5)
    assert verdict.same
    assert verdict.lines == [
        "the same queries in 2 of 2 cycles; accuracies within the stated noise of 0.5 points "
        "(furthest apart in cycle 1: 62.50 % published, 62.80 % here)",
        "published: one",
        "here:      another",
    ]


def test_accuracies_beyond_the_noise_fail_though_the_queries_are_the_same() -> None:
    verdict = compare(THEN, outcome(["a", "b"], ["c", "d"], accuracies=(0.4, 0.625)), noise=0.5)
    assert not verdict.same
    assert "differ by more than the stated noise of 0.5 points (cycle 0: 50.00 %" in verdict.lines[0]


def test_other_queries_fail_though_the_accuracies_are_equal() -> None:
    verdict = compare(THEN, outcome(["a", "b"], ["c", "e"], machine="another"), noise=0.5)
    assert not verdict.same
    assert verdict.lines == [
        "the same queries in 1 of 2 cycles; accuracies equal",
        "first difference: cycle 1, which shares 1 of 2 images; image 2 was d, and is e here",
        "published: one",
        "here:      another",
    ]


def test_the_order_of_asking_is_part_of_a_query() -> None:
    verdict = compare(THEN, outcome(["b", "a"], ["c", "d"]), noise=0.5)
    assert not verdict.same
    assert "cycle 0, which shares 2 of 2 images; image 1 was a, and is b here" in verdict.lines[1]


def test_a_run_of_other_numbers_is_another_run() -> None:
    fewer = Outcome(THEN.queries[THEN.queries["cycle"] == 0], CURVE.head(1), ["one"])
    verdict = compare(THEN, fewer, noise=0.5)
    assert not verdict.same
    assert "the same queries in 1 of 2 cycles; other numbers of labels: 2/4 published, 2 here" in verdict.lines[0]
    assert "cycle 1, which shares 0 of 2 images; image 1 was c, and is nothing here" in verdict.lines[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A published run of twelve cycles whose ids look like numbers, and like nothing."""
    for cycle in range(12):
        folder = tmp_path / "05_model_input/published" / f"cycle_{cycle}"
        folder.mkdir(parents=True)
        pd.DataFrame({"score": [0.0, 1.0], "id": [f"00{cycle}", "NA"]}).to_parquet(folder / "query.parquet")
    report = tmp_path / "08_reporting/published"
    report.mkdir(parents=True)
    curve = pd.DataFrame({"labels": range(2, 26, 2), "accuracy": [1 / (3 + row) for row in range(12)], "loss": 0.0})
    curve.to_csv(report / "learning_curve.csv", index=False)
    machine.note(report / "made_on.json", "a machine", ["pool", "cycle_0"])
    return tmp_path


def test_what_was_published_is_read_as_it_was_written(root: Path) -> None:
    now = made(root)
    assert list(now.queries["cycle"]) == [cycle for cycle in range(12) for _ in range(2)]
    publish(root, now)
    verdict = compare(published(root), now, noise=0)
    assert verdict.lines == ["the same queries in 12 of 12 cycles; accuracies equal"]
    assert published(root).machines == ["a machine"]


def test_nothing_published_and_nothing_made_is_one_sentence_each(root: Path, tmp_path_factory) -> None:
    with pytest.raises(InputError, match=r"queries\.csv: nothing is published to compare with; `make publish`"):
        published(root)
    with pytest.raises(InputError, match="the published run has not been made here: type `make repro`"):
        made(tmp_path_factory.mktemp("empty"))


def test_a_stage_that_is_made_again_elsewhere_is_that_machines(tmp_path: Path) -> None:
    path = tmp_path / "made_on.json"
    machine.note(path, "one", ["pool", "cycle_0", "cycle_1"])
    machine.note(path, "another", ["cycle_1"])
    assert (
        path.read_text() == '{\n  "one": [\n    "pool",\n    "cycle_0"\n  ],\n  "another": [\n    "cycle_1"\n  ]\n}\n'
    )
    machine.note(path, "another", ["pool", "cycle_0"])
    assert json.loads(path.read_text()) == {"another": ["cycle_1", "pool", "cycle_0"]}

"""Labels of other runs on a pool, for a new run to start from."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from pt4al.errors import InputError
from pt4al.project.configuration.dotted import flat
from pt4al.project.configuration.parameters import Parameters
from pt4al.project.configuration.parsing import parse
from pt4al.project.runs.folder import Runs
from pt4al.project.runs.pool_labels import take_known
from support.labelled_runs import IDS, make_peoples_run, make_run, save, say
from support.projects import tiny

CLASSES = ["cat", "dog"]
OLD = [("0.png", "cat", 0, "random"), ("1.png", "dog", 0, "control"), ("2.png", "dog", 1, "margin")]


def parameters(**blocks: dict) -> Parameters:
    oracle = {"kind": "people", "classes": CLASSES, "known_labels": "pool"}
    return parse(tiny(run={"name": "new"}, oracle=oracle, pool={"source": {"path": "raw"}}, **blocks))


def pool_settings() -> dict:
    return flat(parameters().pool.model_dump(mode="json"), "pool.")


def take(root: Path, classes: list[str] = CLASSES) -> pd.DataFrame:
    return take_known(Runs(root), parameters(), pd.Series(IDS), classes)


def test_all_that_people_said_in_any_run_on_the_pool_is_known(tmp_path: Path) -> None:
    settings = pool_settings()
    make_peoples_run(tmp_path, "first", OLD, **settings)
    make_peoples_run(tmp_path, "second.20260101T000000", [("5.png", "cat", 0, "random")], **settings)
    make_peoples_run(tmp_path, "elsewhere", [("6.png", "cat", 0, "random")], **settings | {"pool.source.path": "x"})
    make_peoples_run(tmp_path, "new", [("7.png", "cat", 0, "random")], **settings)
    make_run(tmp_path, "recorded", [("8.png", "cat", 0, "random")], **settings)
    known = take(tmp_path).set_index("id")
    assert sorted(known.index) == ["0.png", "1.png", "2.png", "5.png"]
    row = known.loc["1.png"]
    assert (row["run"], row["why"], row["cycle"], row["annotators"]) == ("first", "control", 0, "ada")
    assert row["answered"].startswith("2026-01-01")


def test_the_newest_answer_counts_and_a_contradiction_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = pool_settings()
    make_peoples_run(tmp_path, "late", [("0.png", "dog", 0, "random")], day=9, who="bob", **settings)
    make_peoples_run(tmp_path, "early", OLD, **settings)
    with caplog.at_level(logging.WARNING):
        known = take(tmp_path).set_index("id")
    assert known.loc["0.png", ["label", "run"]].tolist() == ["dog", "late"]
    assert "1 image with labels that contradict each other" in caplog.text
    assert "0.png: 'cat' in run early by ada on 2026-01-01, then 'dog' in run late by bob" in caplog.text


def test_an_answer_that_a_run_had_from_another_contradicts_nothing_once_it_is_corrected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = pool_settings()
    first = make_peoples_run(tmp_path, "first", OLD, **settings)
    second = make_peoples_run(tmp_path, "second", [("0.png", "cat", -1, "known")], **settings)
    copied = pd.DataFrame({"id": ["0.png"], "annotators": ["ada"], "answered": ["2026-01-01T00:00:00.000+00:00"]})
    save(second / "known_labels.parquet", copied)
    say(first, {"0.png": "dog"}, day=5)
    with caplog.at_level(logging.WARNING):
        assert take(tmp_path).set_index("id").loc["0.png", "label"] == "dog"
    assert "contradict" not in caplog.text


def test_a_class_that_the_new_run_lacks_is_named(tmp_path: Path) -> None:
    make_peoples_run(tmp_path, "first", OLD, **pool_settings())
    with pytest.raises(InputError, match=r"2 labels of first are of classes that this run lacks \('dog'\)"):
        take(tmp_path, ["cat", "owl"])


def test_images_that_are_not_in_the_pool_any_more_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_peoples_run(tmp_path, "first", [*OLD, ("gone.png", "cat", 1, "margin")], **pool_settings())
    with caplog.at_level(logging.WARNING):
        assert "gone.png" not in set(take(tmp_path)["id"])
    assert "left out, for not being in the pool any more: 1 labelled image, the first is 'gone.png'" in caplog.text


def test_without_another_run_nothing_is_known(tmp_path: Path) -> None:
    assert take(tmp_path).empty

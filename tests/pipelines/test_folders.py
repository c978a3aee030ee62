"""A person's folder: odd files are told, not dropped; new ones find their place; answers stay valid."""

import shutil
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

from pt4al.images.pool import open_pool
from support.layouts import patch, save, write_class_folders
from support.odd_pictures import write_odd_folder
from support.projects import WITHOUT_REPORT, newest, run, tables

SHORT = {"schedule": {"epochs": 1, "minimum_steps": 2}}


def go(project: Path, name: str = "tiny", pipeline: str | tuple[str, ...] = WITHOUT_REPORT, **pool: Any) -> None:
    settings = {"source": {"path": "raw"}, "limit": {"train": None, "test": None}, "size": 32, **pool}
    cycles = {"number": 2, "budget": 6}
    run(project, pipeline, pool=settings, run={"name": name}, cycles=cycles, pretext=SHORT, main=SHORT)


def shared(project: Path, layer: str, *names: str) -> Path:
    """The newest version of a file that runs share."""
    return newest(project, layer, "*", *names)


def test_a_folder_of_odd_files_runs_and_its_report_names_each(project: Path) -> None:
    expected = write_odd_folder(project / "raw")
    go(project, pipeline="active_learning", bad_share=0.3)
    told = pd.read_parquet(shared(project, "08_reporting", "problems.parquet")).set_index("id")["reason"]
    bad = {name: reason for name, reason in expected.items() if reason not in ("good", "ignored")}
    assert set(told.index) == set(bad)
    assert all(reason in told[name] for name, reason in bad.items())
    page = shared(project, "08_reporting", "intake.html").read_text()
    assert all(name in page for name in bad)
    pools = [open_pool(shared(project, "02_intermediate", kind)) for kind in ("pool", "test_pool")]
    good = {name for name, reason in expected.items() if reason == "good"}
    assert {name for pool in pools for name in pool.ids} == good
    assert f"{len(bad):,} could not be used" in newest(project, "08_reporting", "tiny", "report.html").read_text()


def test_too_many_bad_files_are_one_message(project: Path, no_training: None) -> None:
    write_odd_folder(project / "raw", good=0)
    with pytest.raises(click.ClickException, match=r"`pool\.bad_share` allows 10%"):
        go(project)


def test_a_picture_in_two_splits_is_told(project: Path) -> None:
    write_class_folders(project / "raw", np.random.default_rng(0), splits=("train", "test"), pictures=10)
    shutil.copy(next((project / "raw/train/cat").iterdir()), project / "raw/test/cat/again.jpg")
    go(project, pipeline="pool")
    found = pd.read_parquet(shared(project, "08_reporting", "duplicates.parquet"))
    crossing = found[(found["kind"] == "exact") & (found["split"] != found["other_split"])]
    assert list(crossing["id"]) == ["test/cat/again.jpg"]


def test_a_folder_without_labels_can_be_ranked_but_not_asked_about(project: Path) -> None:
    for number in range(20):
        save(patch(np.random.default_rng(number), 0, 1, (40, 30)), project / "raw" / f"{number}.jpg")
    go(project, pipeline="pool")
    go(project, pipeline="pretext")
    go(project, pipeline="ranking")
    assert len(pd.read_parquet(newest(project, "04_feature", "tiny", "ranking.parquet"))) == 20
    with pytest.raises(click.ClickException, match="20 of 20 images of raw have no recorded label"):
        go(project)


def test_new_pictures_are_scored_and_placed_and_answers_stay(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(project / "raw", np.random.default_rng(0), pictures=20)
    go(project)
    before = pd.read_parquet(newest(project, "04_feature", "tiny", "ranking.parquet")).set_index("id")
    old, answers = open_pool(shared(project, "02_intermediate", "pool")), tables(project)
    for number in range(30):
        save(patch(np.random.default_rng(number), 0, 3, (32, 32)), project / "raw" / "bird" / f"a_new_{number}.jpg")
    monkeypatch.setattr("pt4al.pipelines.pretext.nodes.fit", None)  # nothing is trained again
    go(project)
    after = pd.read_parquet(newest(project, "04_feature", "tiny", "ranking.parquet")).set_index("id")
    pool = open_pool(shared(project, "02_intermediate", "pool"))
    assert set(old.ids) < set(pool.ids)
    assert len(pool) > len(old) + 15  # a fifth of the new ones is held out
    assert set(after.index) == set(pool.ids)
    pd.testing.assert_series_equal(after["pretext_loss"].loc[before.index], before["pretext_loss"])
    now = tables(project)
    assert {name: now[name] for name in answers if "ranking" not in name} == {
        name: answers[name] for name in answers if "ranking" not in name
    }


def test_pictures_that_another_run_added_are_placed_too(project: Path) -> None:
    """So are those of a run that was killed after its pool had grown: the next one finds only the pool newer."""
    write_class_folders(project / "raw", np.random.default_rng(0), pictures=20)
    go(project)
    for number in range(30):
        save(patch(np.random.default_rng(number), 0, 3, (32, 32)), project / "raw" / "bird" / f"new_{number}.jpg")
    go(project, "other", pipeline="pool")
    go(project)
    pool = open_pool(shared(project, "02_intermediate", "pool"))
    assert set(pd.read_parquet(newest(project, "04_feature", "tiny", "ranking.parquet"))["id"]) == set(pool.ids)
    assert len(pool) > 60


def test_a_labelled_picture_that_is_gone_is_one_message(project: Path, no_training: None) -> None:
    write_class_folders(project / "raw", np.random.default_rng(0), pictures=20)
    go(project, pipeline="pool")
    answers = project / "data/05_model_input/tiny/cycle_0/label_set.parquet/2026-01-01T00.00.00.000Z/label_set.parquet"
    answers.parent.mkdir(parents=True)
    gone = pd.DataFrame({"id": ["cat/gone.jpg"], "label": ["cat"], "cycle": [0], "why": ["random"]})
    gone.to_parquet(answers)
    with pytest.raises(click.ClickException, match=r"the first is 'cat/gone\.jpg': put them back"):
        go(project)

"""Stage `pretext`, whole: every task runs the whole road, and losses are those that were asked for."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

from pt4al.pretext import PRETEXT_TASKS
from support.layouts import patch, save, write_class_folders
from support.projects import WITHOUT_REPORT, newest, run

SHORT = {"schedule": {"epochs": 1, "minimum_steps": 2}}


def go(project: Path, pipeline: str | tuple[str, ...] = WITHOUT_REPORT, name: str = "tiny", **pretext: Any) -> None:
    """Run on little pictures in colour."""
    pool = {"source": {"path": "raw"}, "limit": {"train": None, "test": None}, "size": 32}
    cycles, short = {"number": 1, "budget": 6}, {**SHORT, **pretext}
    run(project, pipeline, run={"name": name}, pool=pool, cycles=cycles, pretext=short, main=SHORT)


def stage(project: Path, **settings: Any) -> pd.DataFrame:
    """Run the stages `pool` and `pretext`; return the pretext losses, by id."""
    go(project, "pool", **settings)
    go(project, "pretext", **settings)
    return pd.read_parquet(latest(project, "04_feature", "pretext_loss.parquet")).set_index("id")


def latest(project: Path, layer: str, name: str) -> Path:
    """The file that was written last, of those that runs with the same settings share."""
    return max((project / "data" / layer).glob(f"*/{name}/*/{name}"), key=lambda path: path.parent.name)


@pytest.fixture
def colourful(project: Path) -> Path:
    """A project with 60 pictures in colour."""
    write_class_folders(project / "raw", np.random.default_rng(0), pictures=20)
    return project


@pytest.mark.parametrize("task", PRETEXT_TASKS)
def test_every_task_runs_the_whole_road(colourful: Path, task: str) -> None:
    go(colourful, "active_learning", task=task)
    ranking = pd.read_parquet(newest(colourful, "04_feature", "tiny", "ranking.parquet"))
    assert ranking["pretext_loss"].is_monotonic_decreasing
    assert ranking["pretext_loss"].nunique() > len(ranking) / 2
    assert newest(colourful, "08_reporting", "tiny", "report.html").exists()


def test_a_task_without_training_leaves_an_empty_curve(colourful: Path, no_training: None) -> None:
    stage(colourful, task="embedding")
    curve = pd.read_csv(latest(colourful, "06_models", "pretext_curve.csv"))
    assert list(curve.columns) == ["epoch", "steps", "loss", "learning_rate"]
    assert curve.empty


def test_other_losses_are_of_the_same_images_and_the_network_stays(colourful: Path) -> None:
    usual = stage(colourful)
    network = latest(colourful, "06_models", "pretext_network.safetensors").read_bytes()
    for kind in ("cross_fitted", "mean_over_epochs"):
        other = stage(colourful, name=kind, losses=kind)
        assert latest(colourful, "06_models", "pretext_network.safetensors").read_bytes() == network
        assert list(other.index) == list(usual.index)
        assert (other["pretext_loss"] != usual["pretext_loss"]).all()


def test_new_pictures_of_cross_fitted_pools_are_scored_without_training(
    colourful: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stage(colourful, losses="cross_fitted")
    for number in range(30):
        save(patch(np.random.default_rng(number), 0, 3, (32, 32)), colourful / "raw" / "bird" / f"new_{number}.jpg")
    monkeypatch.setattr("pt4al.pipelines.pretext.nodes.fit", None)
    after = stage(colourful, losses="cross_fitted")
    assert len(after) > len(before) + 15
    assert after["pretext_loss"].notna().all()
    pd.testing.assert_series_equal(after["pretext_loss"].loc[before.index], before["pretext_loss"])


def test_losses_of_training_are_refused_of_a_task_without(colourful: Path, no_training: None) -> None:
    with pytest.raises(click.ClickException, match=r"`pretext.losses: cross_fitted` needs a task that is trained"):
        stage(colourful, task="embedding", losses="cross_fitted")

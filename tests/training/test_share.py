"""A training finds its own checkpoints again, and no other's."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from pt4al.pretext import PRETEXT_TASKS
from pt4al.randomness import stream
from pt4al.training import learning_loss, unfinished
from pt4al.training.engine import Training
from pt4al.training.precision import Hardware
from pt4al.training.share import Share
from pt4al.training.tasks import classification


@pytest.fixture
def make_share(make_pool, make_network, make_schedule, tmp_path):
    """Make what two processes are sent, of a pool that is on disk."""

    def make(**changes: object) -> Share:
        pool = make_pool(20)
        pool.folder = tmp_path / "pool"
        usual = {
            "network": make_network(),
            "loss": partial(classification.loss, weights=torch.ones(10)),
            "pool": pool,
            "training": Training(make_schedule(), stream(0, "fit")),
            "hardware": Hardware(),
            "rows": np.arange(20),
            "targets": torch.arange(20) % 10,
        }
        return Share(**usual | changes)

    return make


def place(share: Share, world: int = 2) -> str:
    with share.checkpoints(world) as folder:
        return folder.name


def test_the_same_training_has_the_same_place(make_share):
    assert place(make_share()) == place(make_share())


def test_what_changes_a_training_changes_its_place(make_share, make_network, make_schedule):
    usual = make_share().training
    others = [
        make_share(network=make_network(seed=1)),
        make_share(loss=partial(classification.loss, weights=torch.full((10,), 2.0))),
        make_share(loss=partial(learning_loss.loss, weights=torch.ones(10))),
        make_share(loss=PRETEXT_TASKS["rotation"].loss),
        make_share(loss=PRETEXT_TASKS["jigsaw"].loss),
        make_share(rows=np.arange(20)[::-1].copy()),
        make_share(targets=torch.zeros(20, dtype=torch.int64)),
        make_share(hardware=Hardware(precision="bf16")),
        make_share(training=replace(usual, schedule=make_schedule(epochs=2))),
        make_share(training=replace(usual, rng=stream(1, "fit"))),
        make_share(training=replace(usual, frozen=1)),
    ]
    places = {place(make_share()), place(make_share(), world=3), *map(place, others)}
    assert len(places) == 2 + len(others)


def test_a_finished_training_leaves_nothing_and_one_that_failed_its_folder(make_share, tmp_path):
    share = make_share()
    with pytest.raises(KeyError), share.checkpoints(2) as kept:
        raise KeyError
    assert kept.is_dir()
    assert kept.parent == tmp_path / ".pool.training"
    with share.checkpoints(2) as again:
        assert again == kept
    assert not list(tmp_path.iterdir())


def begun(share: Share, run: str) -> Path:
    """Begin a training for a run, and let it be killed."""
    begun = replace(share, training=replace(share.training, run=run))
    with pytest.raises(KeyError), begun.checkpoints(2) as folder:
        raise KeyError
    return folder


@pytest.fixture
def layer(make_share, tmp_path) -> Path:
    """A layer whose one pool has three unfinished trainings: of `first`, of `second`, and of both."""
    (tmp_path / "pool_1").mkdir()
    pool = make_share().pool
    pool.folder = tmp_path / "pool_1" / "pool"
    for number, runs in enumerate((["first"], ["second"], ["first", "second"])):
        for run in runs:
            begun(make_share(pool=pool, rows=np.arange(number, 20)), run)
    return tmp_path


def left(layer: Path) -> list[list[str]]:
    return sorted(sorted(file.stem for file in folder.iterdir()) for folder in layer.glob("*/.*/*_by_2/"))


def test_checkpoints_are_kept_as_long_as_a_run_that_began_them(layer):
    assert unfinished.tidy(layer, {"first", "second"}.__contains__) == 0
    assert unfinished.tidy(layer, {"second"}.__contains__) == 1
    assert left(layer) == [["first", "second"], ["second"]]
    assert unfinished.tidy(layer, set().__contains__) == 2
    assert not list((layer / "pool_1").iterdir())


def test_checkpoints_of_a_run_that_is_set_aside_can_still_be_resumed_under_its_new_name(layer):
    unfinished.rename(layer, "first", "first.20261127T120000")
    assert unfinished.tidy(layer, {"first.20261127T120000"}.__contains__) == 1
    assert left(layer) == [["first.20261127T120000"], ["first.20261127T120000", "second"]]


def test_checkpoints_of_a_training_that_goes_on_stay_and_so_do_those_of_no_run(make_share, tmp_path):
    share = make_share()
    share.pool.folder = tmp_path / "pool_1" / "pool"
    alone = begun(share, "")
    with replace(share, training=replace(share.training, run="gone", frozen=1)).checkpoints(2) as folder:
        assert unfinished.tidy(tmp_path, set().__contains__) == 0
        assert folder.is_dir()
    assert alone.is_dir()

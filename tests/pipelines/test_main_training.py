"""Node `train`: each way to train the main network, on what the run `tiny` left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from pt4al.images.pool import ImagePool, open_pool
from pt4al.pipelines.cycle.nodes import train
from pt4al.pipelines.settings import some_settings
from pt4al.training import learning_loss
from pt4al.training.engine import predict
from pt4al.training.networks import Network, load
from pt4al.training.precision import Hardware
from support.projects import ROOT, newest

Train = Callable[..., tuple[Network, pd.DataFrame]]


def latest(folder: Path, name: str) -> Path:
    return next((folder / "data").glob(f"*/*_*/{name}/*/{name}"))


@pytest.fixture(scope="module")
def pool(finished_once: Path) -> ImagePool:
    return open_pool(latest(finished_once, "pool"))


@pytest.fixture(scope="module")
def pretext(finished_once: Path) -> Network:
    return load(latest(finished_once, "pretext_network.safetensors"))


@pytest.fixture(scope="module")
def trained(finished_once: Path, pool: ImagePool, pretext: Network) -> Train:
    """Train for cycle 0 with changed blocks of settings."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    settings["main"] |= {"start_from": "pretext", "frozen": 0}
    settings["main"]["schedule"] |= {"epochs": 2, "minimum_steps": 10}
    labels = pd.read_parquet(newest(finished_once, "05_model_input", "tiny", "cycle_0", "label_set.parquet"))
    classes = yaml.safe_load(latest(finished_once, "classes.json").read_text())

    def make(**changes: dict[str, Any]) -> tuple[Network, pd.DataFrame]:
        blocks = {name: {**settings[name], **changes.get(name, {})} for name in ("query", "main", "run")}
        blocks["engine"] = {"device": "cpu", "precision": "fp32", "threads": 1}
        blocks["control"] = {"share": 0, "train": True}
        return train(pool, labels, classes, pretext, pretext, some_settings(blocks), cycle=0)

    return make


def equal(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


def test_linear_probe_keeps_the_pretext_trunk_and_has_a_curve_of_one_row(trained: Train, pretext: Network) -> None:
    network, curve = trained(main={"frozen": "all"})
    assert equal(network.trunk, pretext.trunk)
    assert list(curve.columns) == list(trained()[1].columns)
    assert len(curve) == 1


def test_trunk_that_is_frozen_for_longer_than_training_stays_the_pretext_trunk(
    trained: Train, pretext: Network
) -> None:
    assert equal(trained(main={"frozen": 1000})[0].trunk, pretext.trunk)
    assert not equal(trained(main={"frozen": 1})[0].trunk, pretext.trunk)


def test_repeat_changes_weights_and_nothing_else_of_the_settings_does(trained: Train) -> None:
    assert equal(trained()[0], trained(run={"repeat": 0, "name": "another"})[0])
    assert not equal(trained()[0].head, trained(run={"repeat": 1})[0].head)


def test_dropout_changes_what_is_learnt(trained: Train) -> None:
    assert not equal(trained()[0], trained(main={"dropout": 0.5})[0])


def test_network_that_guesses_its_loss_is_otherwise_the_same(trained: Train, pool: ImagePool) -> None:
    plain, guesser = trained()[0], trained(query={"measure": "learning_loss"})[0]
    assert equal(plain.trunk, guesser.trunk)
    assert equal(plain.head, guesser.head)
    guesses = predict(guesser, learning_loss.predicted, pool, Hardware(), np.arange(20))
    assert guesses.shape == (20,)
    assert guesses.std() > 0

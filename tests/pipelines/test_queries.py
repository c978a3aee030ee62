"""Node `choose_query`: every strategy, on what the run `tiny` left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pt4al.features.vectors import open_features
from pt4al.files.stored_table import StoredTable
from pt4al.images.pool import open_pool
from pt4al.pipelines.cycle.nodes import choose_query
from pt4al.pipelines.settings import some_settings
from pt4al.randomness import torch_generator
from pt4al.selection.strategies import FEATURE_STARTS, STRATEGIES
from pt4al.selection.why import sentence
from pt4al.training.networks import add_loss_head, load
from support.projects import ROOT, newest

BUDGET = 20
Ask = Callable[..., pd.DataFrame]


def latest(folder: Path, name: str) -> Path:
    return next((folder / "data").glob(f"*/*_*/{name}/*/{name}"))


@pytest.fixture(scope="module")
def ask(finished_once: Path) -> Ask:
    """Ask for the query of a cycle of `tiny`, with changed settings."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    pool = open_pool(latest(finished_once, "pool"))
    classes = yaml.safe_load(latest(finished_once, "classes.json").read_text())
    ranking = StoredTable(newest(finished_once, "04_feature", "tiny", "ranking.parquet"))
    features = open_features(latest(finished_once, "features"))

    def label_set(cycle: int) -> pd.DataFrame:
        name = "start" if cycle == 0 else f"cycle_{cycle - 1}"
        return pd.read_parquet(newest(finished_once, "05_model_input", "tiny", name, "label_set.parquet"))

    settings |= {"engine": {"device": "cpu", "precision": "fp32", "threads": 1}, "control": {"share": 0, "train": True}}
    settings["cycles"] = {"number": 3, "budget": BUDGET}
    settings["query"] |= {"start": "random", "strategy": "top", "features": "main"}
    settings["main"] |= {"start_from": "pretext", "frozen": 0}

    def make(cycle: int, dropout: float = 0, **query: Any) -> pd.DataFrame:
        blocks = {"query": settings["query"] | query, "main": settings["main"] | {"dropout": dropout}}
        state = {"pool": pool, "features": features, "ranking": ranking, "classes": classes}
        if cycle > 0:
            network = load(newest(finished_once, "06_models", "tiny", f"cycle_{cycle - 1}", "network.safetensors"))
            if query.get("measure") == "learning_loss":
                add_loss_head(network, torch_generator(np.random.default_rng(0)))
            state |= {"network": network, "images": pool}
        chosen = choose_query(some_settings(settings | blocks), cycle=cycle, label_set=label_set(cycle), **state)
        assert not set(chosen["id"]) & set(label_set(cycle)["id"])
        return chosen

    return make


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("features", ["main", "cached"])
def test_every_strategy_asks_for_its_budget_once_each_and_for_the_same_again(ask: Ask, strategy: str, features: str):
    first = ask(1, strategy=strategy, features=features)
    assert len(first) == BUDGET
    assert first["id"].is_unique
    pd.testing.assert_frame_equal(ask(1, strategy=strategy, features=features), first)


@pytest.mark.parametrize("start", FEATURE_STARTS)
def test_a_start_that_spreads_over_features_needs_no_model_and_gives_no_scores(ask: Ask, start: str):
    query = ask(0, start=start)
    assert query["id"].is_unique
    assert len(query) == BUDGET
    assert query["score"].isna().all()


@pytest.mark.parametrize("measure", ["bald", "learning_loss"])
def test_measures_that_need_more_than_probabilities_rank_the_pool(ask: Ask, measure: str):
    query = ask(1, measure=measure, dropout=0.5)
    assert query["score"].is_monotonic_decreasing
    assert query["score"].iloc[0] > query["score"].iloc[-1]


def test_balancing_works_with_any_strategy(ask: Ask):
    for strategy in ("top", "badge"):
        assert ask(1, strategy=strategy, balance=True)["id"].is_unique


def test_why_an_image_was_chosen_is_said_by_what_the_model_said_then(finished: Path):
    folder = finished / "data/07_model_output/tiny"
    first = pd.read_parquet(next(folder.glob("cycle_0/reasons.parquet/*/reasons.parquet")))
    assert {sentence(row) for _, row in first.iterrows()} == {"Drawn at random: the first query."}
    later = pd.read_parquet(next(folder.glob("cycle_1/reasons.parquet/*/reasons.parquet")))
    for _, row in later.iterrows():
        (_, likeliest), (_, second) = json.loads(row["likely"])
        assert 1 - (likeliest - second) == pytest.approx(row["score"], abs=0.005)  # measure margin
        assert sentence(row).startswith("The model ")
